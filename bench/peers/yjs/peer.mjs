// Yjs behind the door of the benchmark; ../../DOOR.md describes it. Run it with `node --expose-gc`.

import { Console } from 'node:console'
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
// The packages of the peers are installed once, for the tests. This is the module that bundlers take: the one for
// require() is four times slower, because it reaches lib0 through getters.
import * as Y from '../../../internal/peers/node/node_modules/yjs/dist/yjs.mjs'

globalThis.console = new Console(process.stderr) // Yjs warns on stdout, which is for answers

const installed = new URL('../../../internal/peers/node/node_modules/yjs/', import.meta.url)
const { version } = JSON.parse(readFileSync(new URL('package.json', installed), 'utf8'))

const hello = {
  name: 'yjs',
  version: version + ', Node ' + process.versions.node,
  language: 'JavaScript',
  features: ['text', 'array', 'map', 'utf16', 'updates', 'merge']
}

let workload = null

function load ({ path }) {
  workload = JSON.parse(readFileSync(path, 'utf8'))
  workload.log = (workload.log ?? []).map(hex => new Uint8Array(Buffer.from(hex, 'hex')))
  return {}
}

// What is resident includes what V8 keeps for later; what is used is what the documents hold.
function used () {
  globalThis.gc()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const status = name => {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))
  return Number(found[1]) * 1024
}

function run () {
  const log = workload.log.slice()
  const docs = new Map()
  const result = { ns: [], hash: '', peak: 0, live: 0, heard: 0, encoded: 0 }
  let applying = false

  const doc = number => {
    let found = docs.get(number)
    if (found === undefined) {
      const ydoc = new Y.Doc()
      ydoc.clientID = number + 1
      found = { ydoc, text: ydoc.getText('text'), array: ydoc.getArray('array'), map: ydoc.getMap('map') }
      docs.set(number, found)
      if (workload.listen?.includes(number)) {
        ydoc.on('update', update => {
          if (applying) return
          log.push(update)
          result.heard += update.length
        })
      }
    }
    return found
  }

  const range = ({ from = 0, to = 0 }) =>
    log.slice(from < 0 ? from + log.length : from, to <= 0 ? to + log.length : to)

  const read = ({ doc: number, on }) => on === 'text' ? doc(number).text.toString() : doc(number)[on].toJSON()

  const each = (ydoc, together, list, change) => {
    if (together) {
      ydoc.transact(() => list.forEach(change))
    } else {
      for (const item of list) ydoc.transact(() => change(item))
    }
  }

  const steps = {
    edit (step) {
      const { ydoc, text, array, map } = doc(step.doc)
      if (step.text !== undefined) {
        each(ydoc, step.together, step.text, ([at, deleted, inserted]) => {
          if (deleted > 0) text.delete(at, deleted)
          if (inserted !== '') text.insert(at, inserted)
        })
      } else if (step.array !== undefined) {
        each(ydoc, step.together, step.array, ([at, values]) => array.insert(at, values))
      } else {
        each(ydoc, step.together, step.map, ([key, value]) => map.set(key, value))
      }
    },
    apply (step) {
      const { ydoc } = doc(step.doc)
      applying = true
      each(ydoc, step.together, range(step), update => Y.applyUpdate(ydoc, update))
      applying = false
    },
    encode (step) {
      const update = Y.encodeStateAsUpdate(doc(step.doc).ydoc)
      log.push(update)
      result.encoded = update.length
    },
    merge (step) {
      log.push(Y.mergeUpdates(range(step)))
    },
    read (step) {
      for (let i = 0; i < (step.times ?? 1); i++) read(step)
    }
  }

  const before = used()
  const start = status('VmRSS')
  try {
    writeFileSync('/proc/self/clear_refs', '5')
  } catch {
    // The peak is that of the process then.
  }
  for (const part of workload.parts) {
    const begin = process.hrtime.bigint()
    for (const step of part.steps) steps[step.do](step)
    result.ns.push(Number(process.hrtime.bigint() - begin))
  }
  result.peak = Math.max(status('VmHWM') - start, 0)
  result.live = Math.max(used() - before, 1)
  const content = read(workload.result)
  result.hash = createHash('sha256').update(typeof content === 'string' ? content : canonical(content)).digest('hex')
  return result
}

/** JSON with sorted keys. */
const canonical = value => JSON.stringify(value, (_, v) =>
  v !== null && typeof v === 'object' && !Array.isArray(v)
    ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => a < b ? -1 : 1))
    : v)

const requests = { hello: () => hello, load, run }

for await (const line of createInterface({ input: process.stdin })) {
  let reply
  try {
    const request = JSON.parse(line)
    reply = requests[request.do](request)
  } catch (error) {
    reply = { error: String(error) }
  }
  process.stdout.write(JSON.stringify(reply) + '\n')
}
