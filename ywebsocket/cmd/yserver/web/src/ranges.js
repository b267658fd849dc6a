/** A set of clock ranges per client, as half-open intervals. */
export class RangeSet {
  #byClient = new Map()

  get isEmpty () { return this.#byClient.size === 0 }

  add (client, start, end) {
    if (start >= end) return
    const ranges = this.#byClient.get(client)
    if (ranges === undefined) this.#byClient.set(client, [[start, end]])
    else ranges.push([start, end])
  }

  /** Removes from this set what is in the other. */
  subtract (other) {
    for (const [client, cuts] of other.#byClient) {
      let rest = this.#byClient.get(client)
      if (rest === undefined) continue
      for (const cut of cuts) rest = rest.flatMap(range => without(range, cut))
      if (rest.length === 0) this.#byClient.delete(client)
      else this.#byClient.set(client, rest)
    }
  }
}

const without = ([start, end], [from, to]) =>
  [[start, Math.min(end, from)], [Math.max(start, to), end]].filter(([a, b]) => a < b)
