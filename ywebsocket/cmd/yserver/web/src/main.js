import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import { copyOnClick } from './copylink.js'
import { createEditor } from './editor.js'
import { introduce } from './me.js'
import { listPeople } from './people.js'
import { currentRoom, roomLink, serverURL, showRoom } from './room.js'
import { SaveTracker, watchedSocket } from './savetracker.js'
import { StatusLine } from './status.js'

const byID = id => document.getElementById(id)
const room = currentRoom()
const doc = new Y.Doc()
const text = doc.getText('content')

const tracker = new SaveTracker(() => showStatus())
// Before the provider subscribes: an edit must be counted when it is sent.
doc.on('update', (_update, origin) => {
  if (origin !== provider) tracker.edited()
})
const provider = new WebsocketProvider(serverURL(), encodeURIComponent(room), doc, {
  WebSocketPolyfill: watchedSocket(tracker),
  // Windows of one browser would reach each other past the server; here the server is the point.
  disableBc: true
})
const { awareness } = provider

const statusLine = new StatusLine({
  status: byID('status'),
  statusText: byID('status-text'),
  notice: byID('notice'),
  noticeTitle: byID('notice-title'),
  noticeText: byID('notice-text'),
  announcer: byID('announcer')
})
let failed = false
let ended = null

const showStatus = () => statusLine.show({
  connected: provider.wsconnected,
  failed,
  synced: provider.synced,
  unsaved: tracker.edits - tracker.saved,
  ended
})

provider.on('status', ({ status }) => {
  if (status === 'connected') {
    failed = false
    ended = null
    // A state that was seen to leave comes back only with a higher clock.
    awareness.setLocalState(awareness.getLocalState())
  }
  showStatus()
})
provider.on('sync', showStatus)
provider.on('connection-close', () => { failed = true })
provider.on('closed', ({ reason }) => {
  ended = reason
  showStatus()
})
byID('retry').addEventListener('click', () => {
  provider.disconnect()
  provider.connect()
})
window.addEventListener('beforeunload', event => {
  if (tracker.edits > tracker.saved) event.preventDefault()
})

introduce(awareness, byID('name'))
listPeople(byID('people'), byID('me'), awareness)
showRoom(room, byID('room-form'), byID('room'), byID('open'))
copyOnClick(byID('copy'), byID('announcer'), roomLink(room))

const editor = createEditor({
  parent: byID('editor'),
  text,
  awareness,
  nonce: byID('csp-nonce').nonce
})
editor.focus()

/** What the end-to-end tests look at: how many edits were made here, and how many are stored. */
window.demo = {
  get edits () { return tracker.edits },
  get saved () { return tracker.saved },
  get synced () { return provider.synced },
  get text () { return text.toString() }
}
