// Writes the golden vectors beside this script, with lib0, yjs and y-protocols.
//
// Run it in a folder where npm has installed these packages, for instance:
//
//   cd internal/peers/node && node ../../../ycrdt/protocol/testdata/generate.mjs
//
// encoding.json    lib0 values, by name
// messages.json    the messages of y-protocols, by name
// awareness.json   what y-protocols' Awareness does, step by step

import { createRequire } from 'node:module'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

const require = createRequire(join(process.cwd(), 'here'))
const encoding = require('lib0/encoding')
const Y = require('yjs')
const sync = require('y-protocols/sync')
const auth = require('y-protocols/auth')
const awareness = require('y-protocols/awareness')

const versions = Object.fromEntries(['lib0', 'yjs', 'y-protocols'].map(name =>
  [name, require(join(process.cwd(), 'node_modules', name, 'package.json')).version]))

const hex = bytes => Buffer.from(bytes).toString('hex')
const encode = write => {
  const encoder = encoding.createEncoder()
  write(encoder)
  return hex(encoding.toUint8Array(encoder))
}
const save = (file, data) =>
  writeFileSync(new URL(file, import.meta.url), JSON.stringify({ versions, ...data }, null, 1) + '\n')

// --- encoding.json

const maxSafe = Number.MAX_SAFE_INTEGER
const varUint = [0, 1, 127, 128, 16383, 16384, 2 ** 31 - 1, 2 ** 32, 2 ** 32 + 1, maxSafe]
const varInt = [0, 1, -1, 63, 64, -63, -64, 8191, 8192, -8192, 2 ** 31 - 1, -(2 ** 31), 2 ** 40, -(2 ** 40), maxSafe, -maxSafe]
const strings = ['', 'a', 'héllo', '\u{1F600} \u0000 \uFEFF', 'x'.repeat(200)]
const bytes = [[], [0], [1, 2, 255], Array.from({ length: 130 }, (_, i) => i)]
const floats = [0, -0, 1, 1.5, -1.25, 2 ** 127, 3.4028234663852886e38]
const bigints = [0n, 1n, -1n, 2n ** 62n, -(2n ** 63n), 2n ** 63n - 1n]

const any = {
  undefined: undefined,
  null: null,
  true: true,
  false: false,
  zero: 0,
  'negative zero': -0,
  'small integer': -42,
  'largest varint': 2 ** 31 - 1,
  'smallest varint': -(2 ** 31) + 1,
  'smallest integer written as float': 2 ** 31,
  'negative integer written as float': -(2 ** 31),
  'integer written as float64': 2 ** 32 + 1,
  'largest safe integer': maxSafe,
  'smallest safe integer': -maxSafe,
  'float beyond the safe integers': 2 ** 53,
  float32: 1.5,
  float64: 0.1,
  'huge float': 1e300,
  nan: NaN,
  infinity: Infinity,
  'negative infinity': -Infinity,
  'bigint zero': 0n,
  'largest bigint': 2n ** 63n - 1n,
  'smallest bigint': -(2n ** 63n),
  'empty string': '',
  string: 'héllo \u{1F600}',
  'empty bytes': new Uint8Array(),
  bytes: new Uint8Array([1, 2, 255]),
  'empty array': [],
  array: [1, 'two', null, undefined, [true]],
  'empty map': {},
  map: { a: 1, b: { c: [0.5, new Uint8Array([7])] }, 'ключ': 'value' }
}

save('encoding.json', {
  varUint: varUint.map(v => ({ value: String(v), hex: encode(e => encoding.writeVarUint(e, v)) })),
  varInt: varInt.map(v => ({ value: String(v), hex: encode(e => encoding.writeVarInt(e, v)) })),
  negativeZero: encode(e => encoding.writeVarInt(e, -0)),
  varString: strings.map(v => ({ value: v, hex: encode(e => encoding.writeVarString(e, v)) })),
  varBytes: bytes.map(v => ({ value: hex(v), hex: encode(e => encoding.writeVarUint8Array(e, new Uint8Array(v))) })),
  float32: floats.map(v => ({ value: Object.is(v, -0) ? '-0' : String(v), hex: encode(e => encoding.writeFloat32(e, v)) })),
  float64: floats.map(v => ({ value: Object.is(v, -0) ? '-0' : String(v), hex: encode(e => encoding.writeFloat64(e, v)) })),
  bigInt64: bigints.map(v => ({ value: String(v), hex: encode(e => encoding.writeBigInt64(e, v)) })),
  any: Object.fromEntries(Object.entries(any).map(([name, v]) => [name, encode(e => encoding.writeAny(e, v))]))
})

// --- messages.json

const newDoc = clientID => {
  const doc = new Y.Doc()
  doc.clientID = clientID
  return doc
}

const doc = newDoc(1)
doc.getText('content').insert(0, 'hello')
const stateVector = Y.encodeStateVector(doc)
const update = Y.encodeStateAsUpdate(doc)

const presence = new awareness.Awareness(newDoc(5))
presence.setLocalState({ cursor: 3, name: 'Ada' })
const awarenessUpdate = awareness.encodeAwarenessUpdate(presence, [5])
const message = (type, write = () => {}) => encode(e => {
  encoding.writeVarUint(e, type)
  write(e)
})

save('messages.json', {
  'sync step 1': { payload: hex(stateVector), hex: message(0, e => sync.writeSyncStep1(e, doc)) },
  'sync step 2': { payload: hex(update), hex: message(0, e => sync.writeSyncStep2(e, doc)) },
  update: { payload: hex(update), hex: message(0, e => sync.writeUpdate(e, update)) },
  awareness: { payload: hex(awarenessUpdate), hex: message(1, e => encoding.writeVarUint8Array(e, awarenessUpdate)) },
  'permission denied': { payload: hex(Buffer.from('go away ☹')), hex: message(2, e => auth.writePermissionDenied(e, 'go away ☹')) },
  'query awareness': { payload: '', hex: message(3) }
})

// --- awareness.json

const local = 1
const entry = (client, clock, state) => ({ client, clock, state })
const encodeEntries = entries => encode(e => {
  encoding.writeVarUint(e, entries.length)
  for (const { client, clock, state } of entries) {
    encoding.writeVarUint(e, client)
    encoding.writeVarUint(e, clock)
    encoding.writeVarString(e, JSON.stringify(state))
  }
})

const set = state => ({ op: 'set', state })
const setField = (field, value) => ({ op: 'setField', field, value })
const apply = (...entries) => ({ op: 'apply', update: encodeEntries(entries) })
const remove = (...ids) => ({ op: 'remove', ids })
const encodeStep = (...ids) => ({ op: 'encode', ids })

const scenarios = {
  'the local state starts as an empty object': [encodeStep(local), encodeStep()],
  'the local state changes': [set({ a: 1, b: [true, null] }), setField('c', 'x'), setField('c', 'x'), encodeStep(local)],
  'setting an equal state is an update and no change': [set({ a: 1 }), set({ a: 1 })],
  'the local state is cleared and comes back': [set(null), set(null), setField('a', 1), set({ back: true })],
  'a remote client comes, changes and goes': [
    apply(entry(2, 1, { n: 1 })), apply(entry(2, 2, { n: 2 })), apply(entry(2, 3, null)), encodeStep(2), encodeStep(2, local)
  ],
  'an older or equal clock is ignored': [apply(entry(2, 5, { n: 1 })), apply(entry(2, 5, { n: 2 })), apply(entry(2, 4, null))],
  'an equal clock removes': [apply(entry(2, 5, { n: 1 })), apply(entry(2, 5, null)), apply(entry(2, 5, null))],
  'a client that left comes back with a newer clock': [
    apply(entry(2, 1, { n: 1 })), apply(entry(2, 2, null)), apply(entry(2, 2, { n: 2 })), apply(entry(2, 3, { n: 3 }))
  ],
  'an unknown client with clock zero is ignored': [apply(entry(2, 0, { n: 1 })), apply(entry(2, 0, null))],
  'an unknown client that is gone is remembered without a word': [apply(entry(2, 4, null)), apply(entry(2, 4, { n: 1 })), encodeStep(2)],
  'a renewal is an update and no change': [apply(entry(2, 1, { a: 1, b: 2 })), apply(entry(2, 2, { b: 2, a: 1 }))],
  'nobody removes the local state': [set({ a: 1 }), apply(entry(local, 1, null)), apply(entry(local, 9, null)), encodeStep(local)],
  'somebody else may write the local state': [apply(entry(local, 7, { other: true })), set({ mine: true }), encodeStep(local)],
  'a cleared local state stays cleared': [set(null), apply(entry(local, 9, null)), encodeStep(local)],
  'one update tells of several clients': [
    apply(entry(2, 1, {}), entry(3, 1, {}), entry(4, 1, null)),
    apply(entry(2, 2, null), entry(3, 2, { x: 1 }), entry(5, 1, { y: 1 })),
    encodeStep(2, 3, 4, 5)
  ],
  'one update names a client twice': [apply(entry(2, 1, { n: 1 }), entry(2, 2, { n: 2 }))],
  'remote states are removed': [apply(entry(2, 1, {}), entry(3, 1, {})), remove(2, 3, 99), remove(2), encodeStep(2)],
  'the local state is removed': [set({ a: 1 }), remove(local), encodeStep(local), remove(local)],
  'a removed state comes back with a newer clock': [apply(entry(2, 1, {})), remove(2), apply(entry(2, 1, {})), apply(entry(2, 2, {}))],
  'a state may be any JSON value': [apply(entry(2, 1, 'text'), entry(3, 1, [1, 2]), entry(4, 1, 7))]
}

const perform = (a, step) => {
  switch (step.op) {
    case 'set': return a.setLocalState(step.state)
    case 'setField': return a.setLocalStateField(step.field, step.value)
    case 'apply': return awareness.applyAwarenessUpdate(a, Buffer.from(step.update, 'hex'), 'remote')
    case 'remove': return awareness.removeAwarenessStates(a, step.ids, 'remover')
    case 'encode': step.update = hex(awareness.encodeAwarenessUpdate(a, step.ids))
  }
}

const play = steps => {
  const a = new awareness.Awareness(newDoc(local))
  let events
  for (const topic of ['change', 'update']) {
    a.on(topic, ({ added, updated, removed }, origin) => events.push({ topic, added, updated, removed, origin }))
  }
  return steps.map(step => {
    events = []
    perform(a, step)
    const clocks = Object.fromEntries([...a.meta].map(([id, { clock }]) => [id, clock]))
    return { ...step, events, states: Object.fromEntries(a.states), clocks }
  })
}

save('awareness.json', {
  local,
  scenarios: Object.entries(scenarios).map(([name, steps]) => ({ name, steps: play(steps) }))
})

process.exit(0) // the timers of Awareness would keep the process alive
