// Sessions: some clients edit a document and hear of each other late and out of order. All that they send is kept.

import * as Y from 'yjs'
import { edit, openRoots } from './editor.mjs'
import * as forms from './forms.mjs'
import { Random } from './random.mjs'

/** Client ids are random numbers of 32 bits in Yjs, and at most of 53 bits. Some programs choose small ones. */
function clientID (r) {
  const high = r.chance(10) ? r.int(2 ** 21) : 0
  return r.chance(5) ? r.int(3) : high * 2 ** 32 + r.bits()
}

class Client {
  constructor (session, { legacy = false, gc = session.r.chance(65) } = {}) {
    const { r } = session
    this.session = session
    this.heard = new Set()
    this.legacy = legacy
    this.doc = new Y.Doc({ gc, guid: forms.guid })
    this.doc.clientID = session.newID()
    if (legacy) this.doc.on('beforeObserverCalls', transaction => forms.writeJSON(transaction, this.doc.clientID))
    this.doc.on('update', (update, _origin, _doc, transaction) => this.made(update, transaction.local))
    if (r.chance(40)) {
      const captureTimeout = r.pick([0, Infinity])
      this.undoManager = new Y.UndoManager(openRoots(this.doc), { captureTimeout, trackedOrigins: new Set(['edit']) })
    }
  }

  /** What a client has changed goes to everybody; what it has applied is sent on by some. */
  made (update, local) {
    if (!local && !this.session.r.chance(20)) return
    this.heard.add(this.session.updates.length)
    this.session.send(local ? this.legacy ? 'legacy' : 'edit' : 'relay', update)
  }

  edit () {
    const { r } = this.session
    this.doc.transact(() => {
      for (let n = r.pick([1, 1, 1, 2, 4]); n > 0; n--) edit(r, this.doc, { json: this.legacy, exotic: this.session.exotic })
    }, 'edit')
  }

  undo () {
    const { r } = this.session
    if (this.undoManager === undefined) return
    if (r.chance(20)) this.undoManager.stopCapturing()
    else if (r.chance(60)) this.undoManager.undo()
    else this.undoManager.redo()
  }

  /** Applies some of what it has not heard, in order or not, and now and then something that it has. */
  hear () {
    const { r, updates } = this.session
    const unheard = updates.map((_, i) => i).filter(i => !this.heard.has(i) || r.chance(2))
    for (const i of r.chance(30) ? r.some(unheard) : unheard.slice(0, r.int(20))) {
      this.heard.add(i)
      Y.applyUpdate(this.doc, updates[i].update)
    }
  }

  /** Asks another client for all that it lacks. */
  sync () {
    const { r, clients } = this.session
    const other = r.pick(clients)
    if (other === this) return
    Y.applyUpdate(this.doc, Y.encodeStateAsUpdate(other.doc, Y.encodeStateVector(this.doc)))
    for (const i of other.heard) this.heard.add(i)
  }
}

class Session {
  updates = []
  clients = []
  ids

  /** With exotic, the session has what Yjs writes and takes, but yrs by itself does not take. */
  constructor (r, exotic, ids = new Set()) {
    this.r = r
    this.exotic = exotic
    this.ids = ids
  }

  newID () {
    let id
    do id = clientID(this.r); while (this.ids.has(id))
    this.ids.add(id)
    return id
  }

  join (options) {
    const client = new Client(this, options)
    this.clients.push(client)
    return client
  }

  send (kind, update) {
    this.updates.push({ kind: `yjs ${kind}`, update })
  }

  /** Has clients do this and that. */
  run (steps) {
    const { r } = this
    for (; steps > 0; steps--) {
      const client = r.pick(this.clients)
      const kind = r.int(100)
      if (kind < 55) client.edit()
      else if (kind < 65) client.undo()
      else if (kind < 82) client.hear()
      else if (kind < 87) client.sync()
      else if (kind < 95) forms.sendAgain(this, client)
      else this.restore(client)
    }
  }

  /** Goes back to an earlier state of a document, as one can if nothing was collected, and has a client go on from there. */
  restore (client) {
    if (client.doc.gc) return
    const { taken } = client
    client.taken = { snapshot: Y.snapshot(client.doc), heard: new Set(client.heard) }
    if (taken === undefined) return
    const restored = this.join()
    restored.heard = taken.heard
    Y.createDocFromSnapshot(client.doc, taken.snapshot, restored.doc)
    this.send('snapshot', Y.encodeStateAsUpdate(restored.doc))
  }
}

/** A session of new clients. */
export function makeSession (seed) {
  const r = new Random(seed)
  const exotic = r.chance(30)
  const session = new Session(r, exotic)
  const clients = r.pick([2, 2, 3, 4])
  for (let i = 0; i < clients; i++) session.join({ legacy: exotic && i === 0 })
  session.run(r.chance(3) ? 80 : 6 + r.int(8))
  return { seed, exotic, updates: session.updates }
}

/** What new clients add to a session who have heard some of it. */
export function continueSession ({ seed, exotic, updates }) {
  const r = new Random(~seed)
  const session = new Session(r, exotic, new Set(updates.flatMap(({ update }) => [...Y.parseUpdateMeta(update).to.keys()])))
  session.updates.push(...updates)
  for (let clients = 2; clients > 0; clients--) session.join().hear()
  session.run(3 + r.int(4))
  for (const { doc } of session.clients) forms.applyAll(doc, updates)
  session.run(2 + r.int(3))
  return session.updates.slice(updates.length)
}
