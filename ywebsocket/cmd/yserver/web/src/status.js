const offlineNotice = {
  title: 'No connection to the server.',
  text: 'You can go on typing: your text stays in this window and will be sent when the connection is back. Please leave the window open until then.'
}

const closedNotice = reason => ({
  title: 'The server has ended this session.',
  text: `${reason ? `It says: ${reason.replace(/\.?$/, '.')} ` : ''}Your text is still in this window; copy what you want to keep.`
})

// A restart of the server takes a moment; the notice is for longer gaps.
const noticeDelay = 1200

/** Tells in words how the connection is and whether the text is stored. */
export class StatusLine {
  #phase = 'connecting'
  #timer = 0
  #elements

  constructor (elements) { this.#elements = elements }

  /**
   * @param {object} now
   * @param {boolean} now.connected
   * @param {boolean} now.failed - the last attempt to connect did not succeed
   * @param {boolean} now.synced - all that the server has is here
   * @param {number} now.unsaved - how many edits are not stored yet
   * @param {string | null} now.ended - why the server ended the session for good
   */
  show (now) {
    const [state, words] = describe(now)
    this.#elements.status.dataset.state = state
    this.#elements.statusText.textContent = words
    const phase = now.ended !== null ? 'ended' : now.connected ? 'online' : 'offline'
    if (phase !== this.#phase) this.#announce(phase, now.ended)
    this.#phase = phase
  }

  #announce (phase, reason) {
    clearTimeout(this.#timer)
    if (phase === 'ended') {
      this.#notice(closedNotice(reason))
    } else if (phase === 'offline') {
      this.#timer = setTimeout(() => this.#notice(offlineNotice), noticeDelay)
    } else if (!this.#elements.notice.hidden) {
      this.#elements.notice.hidden = true
      this.#elements.announcer.textContent = 'Connected again.'
    }
  }

  #notice ({ title, text }) {
    this.#elements.announcer.textContent = ''
    this.#elements.noticeTitle.textContent = title
    this.#elements.noticeText.textContent = text
    this.#elements.notice.hidden = false
  }
}

const describe = ({ connected, failed, synced, unsaved, ended }) => {
  if (ended !== null) return ['offline', 'Ended']
  if (!connected && !failed) return ['busy', 'Connecting…']
  if (!connected) return ['offline', unsaved > 0 ? 'Offline, not saved yet' : 'Offline']
  if (!synced) return ['busy', 'Loading…']
  return unsaved > 0 ? ['busy', 'Saving…'] : ['saved', 'Saved']
}
