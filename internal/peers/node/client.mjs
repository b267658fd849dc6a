// Holds any number of Yjs documents, each connected to a server by the y-websocket provider.
//
// Requests name the client they are for ("client"); "timeout" is in milliseconds. Places, operations and
// values have the form described in document.mjs.
//
//   open          { url, room, params }              a new document and its provider -> { clientID }
//   edit          { ops }                            in one transaction
//   read          { on, form? }                      -> the type's JSON, or its delta
//   await         { on, form?, want, timeout }       until it reads as wanted -> what it reads in the end
//   setState      { state }                          the awareness state; null takes it away
//   awaitStates   { want, timeout }                  until the states of the others are these, in any order
//   awaitSynced   { timeout }                        until the server's answer to the first sync step is here
//   awaitUnsynced { timeout }                        until the connection is gone
//   awaitEchoed   { timeout }                        until the server has sent back all that was inserted here
//   pass          { milliseconds }                   lets time go by on this process's clock
//   connections   {}                                 -> { opened, closed: [{ code, reason }], stopped }
//   awaitStopped  { timeout }                        until the provider has given up -> as connections
//   send          { message }                        a message in base64, beside those of the provider
//   disconnect    {}                                 a clean leave
//   connect       {}                                 comes back
//   abort         {}                                 cuts the connection without a word, and stays away
//   destroy       {}                                 ends provider and document

import { isDeepStrictEqual } from 'node:util'
import * as decoding from 'lib0/decoding'
import { WebSocket } from 'ws'
import { messageYjsUpdate } from 'y-protocols/sync'
import { messageSync, WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import { edit, fromBase64, read } from './document.mjs'
import { serve } from './lines.mjs'

const clients = new Map()

const find = ({ client: key }) => {
  const client = clients.get(key)
  if (client === undefined) throw new Error(`no client ${JSON.stringify(key)}`)
  return client
}

function open ({ client: key, url, room, params }) {
  if (clients.has(key)) throw new Error(`client ${JSON.stringify(key)} is open already`)
  const doc = new Y.Doc()
  const echo = new Y.Doc()
  const provider = new WebsocketProvider(url, room, doc, {
    params, WebSocketPolyfill: echoingSocket(echo), disableBc: true
  })
  const client = { doc, echo, provider, opened: 0, closed: [], stopped: false }
  provider.on('status', ({ status }) => { if (status === 'connected') client.opened++ })
  provider.on('connection-close', event => client.closed.push({ code: event?.code ?? 0, reason: event?.reason ?? '' }))
  provider.on('closed', () => { client.stopped = true })
  clients.set(key, client)
  return { clientID: doc.clientID }
}

/** A WebSocket class that collects all updates which the server sends. */
const echoingSocket = echo => class extends WebSocket {
  constructor (...args) {
    super(...args)
    this.addEventListener('message', ({ data }) => {
      const decoder = decoding.createDecoder(new Uint8Array(data))
      if (decoding.readVarUint(decoder) !== messageSync) return
      if (decoding.readVarUint(decoder) === messageYjsUpdate) Y.applyUpdate(echo, decoding.readVarUint8Array(decoder))
    })
  }
}

const isEchoed = ({ doc, echo }) => Y.getState(echo.store, doc.clientID) === Y.getState(doc.store, doc.clientID)

/** Looks at a value now and at every change until it is good enough or the time is over; returns it. */
function waitFor ({ provider, doc, echo }, look, good, timeout) {
  return new Promise(resolve => {
    const events = [[doc, 'update'], [echo, 'update'], [provider.awareness, 'change'], [provider, 'sync'], [provider, 'closed']]
    const finish = value => {
      clearTimeout(timer)
      for (const [source, name] of events) source.off(name, check)
      resolve(value)
    }
    const check = () => {
      const value = look()
      if (good(value)) finish(value)
    }
    const timer = setTimeout(() => finish(look()), timeout)
    for (const [source, name] of events) source.on(name, check)
    check()
  })
}

const equals = want => value => isDeepStrictEqual(value, want)

const othersStates = ({ provider: { awareness } }) =>
  [...awareness.getStates()].filter(([id]) => id !== awareness.clientID).map(([, state]) => state)

const inAnyOrder = states => states.map(state => JSON.stringify(state)).sort()

const connections = ({ opened, closed, stopped }) => ({ opened, closed, stopped })

serve({
  open,
  edit: request => edit(find(request).doc, request.ops),
  read: request => read(find(request).doc, request.on, request.form),
  await: request => {
    const client = find(request)
    return waitFor(client, () => read(client.doc, request.on, request.form), equals(request.want), request.timeout)
  },
  setState: request => find(request).provider.awareness.setLocalState(request.state),
  awaitStates: request => {
    const client = find(request)
    const want = inAnyOrder(request.want)
    return waitFor(client, () => othersStates(client), states => equals(want)(inAnyOrder(states)), request.timeout)
  },
  awaitSynced: request => {
    const client = find(request)
    return waitFor(client, () => client.provider.synced, equals(true), request.timeout)
  },
  awaitUnsynced: request => {
    const client = find(request)
    return waitFor(client, () => client.provider.synced, equals(false), request.timeout)
  },
  awaitEchoed: request => {
    const client = find(request)
    return waitFor(client, () => isEchoed(client), equals(true), request.timeout)
  },
  pass: ({ milliseconds }) => new Promise(resolve => { setTimeout(resolve, milliseconds) }),
  awaitStopped: request => {
    const client = find(request)
    return waitFor(client, () => connections(client), ({ stopped }) => stopped, request.timeout)
  },
  connections: request => connections(find(request)),
  send: request => find(request).provider.ws.send(fromBase64(request.message)),
  disconnect: request => find(request).provider.disconnect(),
  connect: request => find(request).provider.connect(),
  abort: request => {
    const { provider } = find(request)
    provider.shouldConnect = false
    provider.ws.terminate()
  },
  destroy: request => {
    const { provider, doc, echo } = find(request)
    provider.destroy()
    doc.destroy()
    echo.destroy()
    clients.delete(request.client)
  }
})
