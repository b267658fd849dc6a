import { chooseColor, cleanName, loadName, readUser, saveName } from './identity.js'

const minWidth = 4

/** Shows this window's person to the others, under the name in the field and in a colour of its own. */
export function introduce (awareness, field) {
  const user = { name: loadName(), color: chooseColor() }
  const tell = () => awareness.setLocalStateField('user', { ...user })
  const fit = () => { field.size = Math.max(minWidth, field.value.length) }
  const showName = () => {
    field.value = user.name
    fit()
  }

  field.addEventListener('input', fit)
  field.addEventListener('change', () => {
    const name = cleanName(field.value)
    if (name !== '') {
      user.name = name
      saveName(name)
      tell()
    }
    showName()
  })
  field.addEventListener('keydown', event => {
    if (event.key === 'Escape') showName()
    if (event.key === 'Enter' || event.key === 'Escape') field.blur()
  })

  // Of two that chose the same colour, the one with the higher id takes another.
  awareness.on('change', ({ added }) => {
    const others = [...awareness.getStates()].filter(([id]) => id !== awareness.clientID)
      .map(([id, state]) => ({ id, color: readUser(id, state).color }))
    const clash = others.some(({ id, color }) => added.includes(id) && id < awareness.clientID && color === user.color)
    if (!clash) return
    user.color = chooseColor(others.map(({ color }) => color))
    tell()
  })

  tell()
  showName()
}
