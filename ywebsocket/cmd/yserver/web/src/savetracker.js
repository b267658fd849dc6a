import * as Y from 'yjs'
import * as decoding from 'lib0/decoding'
import { messageSync } from 'y-websocket'
import { messageYjsSyncStep1, messageYjsSyncStep2, messageYjsUpdate } from 'y-protocols/sync'
import { RangeSet } from './ranges.js'

/**
 * Knows how many of this window's edits the server has stored.
 *
 * The server sends an update back to its sender, byte for byte, once it is stored. It does not if
 * the update builds on something that it lacks. Then it holds the update back, while later ones
 * come back, and asks what it lacks. What we answer holds all that it does not have yet, so when
 * the answer comes back everything before is stored. Or the server gets what it lacked from
 * somebody else, and sends us what it had held back as a part of larger updates, without what it
 * knew already, which it sent to us before. So each update we send is remembered as the set of
 * what it inserts and deletes too, and everything that arrives is taken away from that set. An
 * empty set only counts for an update that was held back: the edits of others, who may have
 * deleted the same, arrive before they are stored.
 *
 * Edits are counted: `edits` were made, the first `saved` of them are stored.
 */
export class SaveTracker {
  edits = 0
  saved = 0
  #sent = []
  #caughtUp = false
  #onChange

  constructor (onChange) { this.#onChange = onChange }

  edited () {
    this.edits++
    this.#onChange()
  }

  /** A connection begins or ends: what was under way on the last one will be sent again. */
  reset () {
    this.#sent = []
    this.#caughtUp = false
  }

  sentFrame (frame) {
    const { kind, update } = readFrame(frame)
    const isAnswer = kind === messageYjsSyncStep2
    // The server asks what it lacks, and this answer holds all that was written while we were
    // away. Updates that overtook it may not be readable for the server yet: they do not count.
    if (isAnswer) this.#caughtUp = true
    if (update === null || !this.#caughtUp || this.edits === this.saved) return
    this.#sent.push({ edits: this.edits, update, isAnswer, ...contents(update), heldBack: false, stored: false })
  }

  receivedFrame (frame) {
    if (this.#sent.length === 0) return
    const { kind, update } = readFrame(frame)
    if (kind === messageYjsSyncStep1) this.#holdBack(this.#sent)
    if (update === null) return
    this.#takeAway(contents(update))
    // A sync step only tells what the server holds, not that it is stored.
    if (kind !== messageYjsUpdate) return
    this.#returned(update)
    this.#count()
  }

  #holdBack (entries) { for (const entry of entries) entry.heldBack = true }

  #takeAway ({ inserts, deletes }) {
    for (const entry of this.#sent) {
      entry.inserts.subtract(inserts)
      entry.deletes.subtract(deletes)
    }
  }

  /** Notes which update has come back. */
  #returned (update) {
    const index = this.#sent.findIndex(entry => !entry.stored && sameBytes(entry.update, update))
    if (index < 0) return
    const before = this.#sent.slice(0, index)
    this.#sent[index].stored = true
    if (this.#sent[index].isAnswer) for (const entry of before) entry.stored = true
    else this.#holdBack(before) // updates come back in order
  }

  /** Counts what is stored, up to the first update that is not. */
  #count () {
    const isStored = entry => entry.stored || (entry.heldBack && entry.inserts.isEmpty && entry.deletes.isEmpty)
    const first = this.#sent.findIndex(entry => !isStored(entry))
    const stored = this.#sent.splice(0, first < 0 ? this.#sent.length : first)
    if (stored.length === 0) return
    this.saved = stored.at(-1).edits
    this.#onChange()
  }
}

/** A WebSocket class for the provider that shows the tracker every frame in both directions. */
export const watchedSocket = tracker => class extends WebSocket {
  constructor (...args) {
    super(...args)
    tracker.reset()
    this.addEventListener('message', event => tracker.receivedFrame(new Uint8Array(event.data)))
  }

  send (frame) {
    tracker.sentFrame(frame)
    super.send(frame)
  }
}

const readFrame = frame => {
  const decoder = decoding.createDecoder(frame)
  if (decoding.readVarUint(decoder) !== messageSync) return { kind: null, update: null }
  const kind = decoding.readVarUint(decoder)
  const hasUpdate = kind === messageYjsSyncStep2 || kind === messageYjsUpdate
  return { kind, update: hasUpdate ? decoding.readVarUint8Array(decoder) : null }
}

const contents = update => {
  const inserts = new RangeSet()
  const deletes = new RangeSet()
  const { structs, ds } = Y.decodeUpdate(update)
  for (const struct of structs) {
    if (struct instanceof Y.Skip) continue
    inserts.add(struct.id.client, struct.id.clock, struct.id.clock + struct.length)
  }
  ds.clients.forEach((items, client) => {
    for (const { clock, len } of items) deletes.add(client, clock, clock + len)
  })
  return { inserts, deletes }
}

const sameBytes = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i])
