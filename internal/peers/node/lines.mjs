// Requests come as lines of JSON on stdin, {"id": 1, "do": "name", ...}; each is answered by one line on
// stdout, {"id": 1, "result": ...} or {"id": 1, "error": "..."}. The process ends when stdin does.

import { createInterface } from 'node:readline'
import { inspect } from 'node:util'

/**
 * Calls handlers[request.do](request) for each request. Requests do not wait for each other:
 * a handler that returns a promise is answered when that settles.
 */
export function serve (handlers, { close = () => {} } = {}) {
  const answer = reply => process.stdout.write(JSON.stringify(reply) + '\n')
  const lines = createInterface({ input: process.stdin, crlfDelay: Infinity })
  lines.on('line', async line => {
    const request = JSON.parse(line)
    try {
      const handler = handlers[request.do]
      if (handler === undefined) throw new Error(`unknown request ${JSON.stringify(request.do)}`)
      answer({ id: request.id, result: (await handler(request)) ?? null })
    } catch (error) {
      answer({ id: request.id, error: inspect(error) })
    }
  })
  lines.on('close', async () => {
    await close()
    process.exit(0)
  })
}
