const defaultRoom = 'welcome'

/** Letters, digits and - . _ ~ stay; everything else becomes a dash, so that a link is easy to read aloud. */
const cleanRoom = name =>
  name.normalize().replace(/[^\p{L}\p{N}._~-]+/gu, '-').replace(/^[-.]+|[-.]+$/g, '').slice(0, 64)

export const currentRoom = () => cleanRoom(new URLSearchParams(location.search).get('room') ?? '') || defaultRoom

export const roomLink = room => {
  const url = new URL(location.href)
  url.search = new URLSearchParams({ room })
  url.hash = ''
  return url.href
}

/** The address of the server's WebSocket endpoint, which is where the page came from. */
export const serverURL = () => location.origin.replace(/^http/, 'ws')

/** Shows the room in the address and in the field of a form, which opens another. */
export function showRoom (room, form, field, openButton) {
  field.value = room
  history.replaceState(null, '', roomLink(room))
  document.title = `${room} – Write together`

  const wanted = () => cleanRoom(field.value)
  const isOther = () => wanted() !== '' && wanted() !== room
  field.addEventListener('input', () => { openButton.hidden = !isOther() })
  form.addEventListener('submit', event => {
    event.preventDefault()
    if (isOther()) location.assign(roomLink(wanted()))
  })
}
