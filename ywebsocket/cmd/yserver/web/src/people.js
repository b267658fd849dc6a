import { readUser } from './identity.js'

const maxShown = 12

/** Keeps the list of those in the room; the first entry, this window's own, is part of the page. */
export function listPeople (list, me, awareness) {
  const render = () => {
    const users = [...awareness.getStates()].map(([id, state]) => ({ id, ...readUser(id, state) }))
    const own = users.find(user => user.id === awareness.clientID)
    if (own) me.style.setProperty('--who', own.color)
    const others = users.filter(user => user !== own).sort((a, b) => a.name.localeCompare(b.name) || a.id - b.id)
    const entries = others.slice(0, maxShown).map(personItem)
    if (others.length > maxShown) entries.push(element('li', 'more', `and ${others.length - maxShown} more`))
    // The own entry holds the field for the name: taken out of the page, it would lose the focus.
    while (me.nextElementSibling) me.nextElementSibling.remove()
    list.append(...entries)
  }
  awareness.on('change', render)
  render()
}

const personItem = ({ name, color }) => {
  const dot = element('span', 'dot')
  dot.setAttribute('aria-hidden', 'true')
  const li = element('li', 'person')
  li.style.setProperty('--who', color)
  li.append(dot, element('span', 'name', name))
  return li
}

const element = (tag, className, text = '') => {
  const created = document.createElement(tag)
  created.className = className
  created.textContent = text
  return created
}
