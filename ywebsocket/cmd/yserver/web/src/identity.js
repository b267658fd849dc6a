// Who this window is: a name and a colour.

const adjectives = ['Brave', 'Bright', 'Calm', 'Clever', 'Gentle', 'Jolly', 'Kind', 'Merry', 'Quick', 'Quiet', 'Swift', 'Wise']
const animals = ['Badger', 'Crane', 'Finch', 'Fox', 'Hare', 'Heron', 'Lynx', 'Otter', 'Owl', 'Robin', 'Seal', 'Wren']

// White text on each has a contrast of 4.8, and each stands out from a dark page with 3.6.
const colors = ['#2073c5', '#7b57e4', '#d22289', '#c44a16', '#926b10', '#3e810e', '#157e7b']

const nameKey = 'yserver.name'
const maxName = 32

const pick = list => list[Math.floor(Math.random() * list.length)]

/** Storage may be switched off in the browser; the page then simply forgets. */
const remember = (storage, key, value) => { try { storage().setItem(key, value) } catch {} }
const recall = (storage, key) => { try { return storage().getItem(key) } catch { return null } }
const local = () => window.localStorage
const session = () => window.sessionStorage

/** The name somebody chose, for all windows; otherwise one made up for this window. */
export const loadName = () => {
  const known = recall(local, nameKey) ?? recall(session, nameKey)
  if (known) return known
  const name = `${pick(adjectives)} ${pick(animals)}`
  remember(session, nameKey, name)
  return name
}

export const saveName = name => remember(local, nameKey, name)

export const cleanName = name => name.replace(/\s+/g, ' ').trim().slice(0, maxName)

/** A colour that nobody in the room has yet, as long as there are any. */
export const chooseColor = (taken = []) => {
  const free = colors.filter(color => !taken.includes(color))
  return pick(free.length > 0 ? free : colors)
}

/** What others say of themselves is shown, but not trusted: a name has a length, a colour a form. */
export const readUser = (clientID, state) => {
  const { name, color } = state?.user ?? {}
  return {
    name: (typeof name === 'string' && cleanName(name)) || 'Guest',
    color: /^#[0-9a-f]{6}$/i.test(color) ? color : colors[clientID % colors.length]
  }
}
