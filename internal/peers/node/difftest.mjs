// Holds Y.Docs and does to them what it is told, so that another implementation can be compared with Yjs.
//
// A request is { "id", "do": "run", "steps": [step, ...] }; its result is the list of the steps' results. Steps
// run in order, and an error in one ends the request. Put many steps into a request: a request costs a
// round trip, a step next to nothing. Updates and state vectors are base64 of update v1 bytes; places,
// operations and values have the form described in document.mjs.
//
//   { "step": "new", "doc", "clientID"?, "gc"? }         a new document under this key, in place of an old one
//   { "step": "drop", "doc" }                            forgets it
//   { "step": "edit", "doc", "ops": [operation, ...] }   in one transaction -> the update it made
//   { "step": "loose", "doc", "ops": [operation, ...] }  the same with loose operations, which loose.mjs describes
//                                                        -> { "update", "ops": [what each became, or null] }
//   { "step": "apply", "doc", "updates": [update, ...] } each in its own transaction -> the update they made
//   { "step": "stateVector", "doc" }                     -> state vector
//   { "step": "update", "doc", "stateVector"? }          -> everything, or what that state vector lacks
//   { "step": "merge", "updates": [update, ...] }        -> one update
//   { "step": "pending", "doc" }                         -> whether updates wait for something missing
//   { "step": "json", "doc", "on": [place, ...] }        -> what toJSON gives for each place
//   { "step": "delta", "doc", "on": [place, ...] }       -> what toDelta gives for each text
//   { "step": "tree", "doc" }                            -> everything below the roots of loose.mjs
//
// The update that a step made is all that the document's update event told of, merged into one, or "" if it told
// nothing. For "apply" that is what was new in the updates, and what Yjs cleaned up by itself after them.

import * as Y from 'yjs'
import { edit, fromBase64, perform, read, toBase64 } from './document.mjs'
import { serve } from './lines.mjs'
import { fit, roots } from './loose.mjs'

const docs = new Map()

const known = key => {
  const doc = docs.get(key)
  if (doc === undefined) throw new Error(`no document ${JSON.stringify(key)}`)
  return doc
}

function updateMadeBy (doc, change) {
  const made = []
  const remember = update => { made.push(update) }
  doc.on('update', remember)
  try {
    change(doc)
  } finally {
    doc.off('update', remember)
  }
  return made.length === 0 ? '' : toBase64(Y.mergeUpdates(made))
}

const steps = {
  new: ({ doc: key, clientID, gc = true }) => {
    const doc = new Y.Doc({ gc })
    if (clientID !== undefined) doc.clientID = clientID
    docs.get(key)?.destroy()
    docs.set(key, doc)
  },
  drop: ({ doc: key }) => {
    docs.get(key)?.destroy()
    docs.delete(key)
  },
  edit: ({ doc: key, ops }) => updateMadeBy(known(key), doc => edit(doc, ops)),
  loose: ({ doc: key, ops }) => {
    const became = []
    const update = updateMadeBy(known(key), doc => doc.transact(() => {
      for (const loose of ops) {
        const op = fit(doc, loose)
        became.push(op)
        if (op !== null) perform(doc, op)
      }
    }))
    return { update, ops: became }
  },
  apply: ({ doc: key, updates }) => updateMadeBy(known(key), doc => {
    for (const update of updates) Y.applyUpdate(doc, fromBase64(update))
  }),
  stateVector: ({ doc: key }) => toBase64(Y.encodeStateVector(known(key))),
  update: ({ doc: key, stateVector }) =>
    toBase64(Y.encodeStateAsUpdate(known(key), stateVector === undefined ? undefined : fromBase64(stateVector))),
  merge: ({ updates }) => toBase64(Y.mergeUpdates(updates.map(fromBase64))),
  pending: ({ doc: key }) => {
    const { pendingStructs, pendingDs } = known(key).store
    return pendingStructs !== null || pendingDs !== null
  },
  json: ({ doc: key, on }) => on.map(place => read(known(key), place)),
  delta: ({ doc: key, on }) => on.map(place => read(known(key), place, 'delta')),
  tree: ({ doc: key }) => roots.map(place => read(known(key), place, 'tree'))
}

serve({
  run: request => request.steps.map((step, index) => {
    try {
      return steps[step.step](step) ?? null
    } catch (error) {
      throw new Error(`step ${index}, ${step.step}`, { cause: error })
    }
  })
})
