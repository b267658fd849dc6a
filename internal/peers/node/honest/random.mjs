/** Numbers that follow from a seed (mulberry32). */
export class Random {
  #state

  constructor (seed) {
    this.#state = (seed * 0x9e3779b1) >>> 0
    this.bits()
  }

  /** An integer of 32 bits. */
  bits () {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ mixed >>> 15, mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ mixed >>> 7, mixed | 61)
    return (mixed ^ mixed >>> 14) >>> 0
  }

  /** An integer from 0 to below n. */
  int (n) {
    return Math.floor(this.bits() / 2 ** 32 * n)
  }

  chance (percent) {
    return this.int(100) < percent
  }

  pick (list) {
    return list[this.int(list.length)]
  }

  /** Some of the list, at least one if there are any, in any order. */
  some (list) {
    return this.shuffled(list).slice(0, 1 + this.int(list.length))
  }

  shuffled (list) {
    const shuffled = [...list]
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = this.int(i + 1)
      ;[shuffled[i], shuffled[j]] = [shuffled[j], shuffled[i]]
    }
    return shuffled
  }

  /** Deals the list out to groups, in any order. */
  groups (list, size) {
    const groups = []
    for (const item of this.shuffled(list)) {
      if (groups.length === 0 || this.int(size) === 0) groups.push([])
      groups.at(-1).push(item)
    }
    return groups
  }

  times (n, make) {
    return Array.from({ length: n }, make)
  }
}
