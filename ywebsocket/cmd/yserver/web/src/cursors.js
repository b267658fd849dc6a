import * as Y from 'yjs'
import { Annotation, RangeSet } from '@codemirror/state'
import { Decoration, ViewPlugin, WidgetType } from '@codemirror/view'
import { readUser } from './identity.js'

/**
 * Shares this window's selection and draws those of the others, in the awareness format of
 * y-codemirror.next: `cursor: { anchor, head }`, both relative positions, beside `user`.
 */
export const sharedCursors = (text, awareness) => ViewPlugin.define(
  view => new SharedCursors(view, text, awareness),
  { decorations: plugin => plugin.decorations }
)

const presenceChanged = Annotation.define()

class SharedCursors {
  constructor (view, text, awareness) {
    this.text = text
    this.awareness = awareness
    this.decorations = RangeSet.empty
    this.listener = (_changes, origin) => {
      if (origin !== 'local') view.dispatch({ annotations: presenceChanged.of(true) })
    }
    awareness.on('change', this.listener)
  }

  destroy () { this.awareness.off('change', this.listener) }

  update (update) {
    const moved = update.docChanged || update.selectionSet || update.focusChanged
    if (moved && update.view.hasFocus) this.share(update.state.selection.main)
    const redraw = update.docChanged || update.transactions.some(tr => tr.annotation(presenceChanged))
    if (redraw) this.decorations = this.draw(update.state)
  }

  share ({ anchor, head }) {
    const position = index => Y.relativePositionToJSON(Y.createRelativePositionFromTypeIndex(this.text, index))
    const cursor = { anchor: position(anchor), head: position(head) }
    const shown = this.awareness.getLocalState()?.cursor
    if (JSON.stringify(shown) !== JSON.stringify(cursor)) this.awareness.setLocalStateField('cursor', cursor)
  }

  draw (state) {
    const ranges = []
    for (const [clientID, presence] of this.awareness.getStates()) {
      if (clientID === this.awareness.clientID) continue
      const anchor = this.index(presence?.cursor?.anchor, state)
      const head = this.index(presence?.cursor?.head, state)
      if (anchor === null || head === null) continue
      const user = readUser(clientID, presence)
      if (anchor !== head) {
        const selection = Decoration.mark({ class: 'selection', attributes: { style: `--who: ${user.color}` } })
        ranges.push(selection.range(Math.min(anchor, head), Math.max(anchor, head)))
      }
      const caret = new Caret(user, clientID, JSON.stringify(presence.cursor.head))
      ranges.push(Decoration.widget({ widget: caret, side: head > anchor ? -1 : 1 }).range(head))
    }
    return Decoration.set(ranges, true)
  }

  /** Where a position of somebody else is in our text, or null: it may be of a newer text, or nonsense. */
  index (json, state) {
    if (json == null) return null
    try {
      const position = Y.createAbsolutePositionFromRelativePosition(Y.createRelativePositionFromJSON(json), this.text.doc)
      return position?.type === this.text ? Math.min(position.index, state.doc.length) : null
    } catch {
      return null
    }
  }
}

/** A caret with a flag that shows the name for a while after each move. */
class Caret extends WidgetType {
  constructor (user, clientID, place) {
    super()
    this.user = user
    this.key = JSON.stringify([clientID, user, place])
  }

  eq (other) { return other.key === this.key }

  ignoreEvent () { return true }

  toDOM (view) {
    const caret = document.createElement('span')
    caret.className = 'caret'
    caret.style.setProperty('--who', this.user.color)
    caret.setAttribute('aria-hidden', 'true')
    const flag = document.createElement('span')
    flag.className = 'flag'
    flag.textContent = this.user.name
    caret.append('\u2060', flag, '\u2060')
    view.requestMeasure({
      read: () => flag.getBoundingClientRect().right > view.contentDOM.getBoundingClientRect().right,
      write: overflows => flag.classList.toggle('leftwards', overflows)
    })
    return caret
  }
}
