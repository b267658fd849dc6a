import { standardKeymap } from '@codemirror/commands'
import { EditorState } from '@codemirror/state'
import { EditorView, keymap, placeholder } from '@codemirror/view'
import { yCollab, yUndoManagerKeymap } from 'y-codemirror.next'
import * as Y from 'yjs'
import { sharedCursors } from './cursors.js'

const invitation = 'Start writing. Whoever opens the same link writes with you.'

/** A CodeMirror editor bound to a shared text; undo takes back one's own edits only. */
export const createEditor = ({ parent, text, awareness, nonce }) => new EditorView({
  parent,
  state: EditorState.create({
    doc: text.toString(),
    extensions: [
      keymap.of([...yUndoManagerKeymap, ...standardKeymap]),
      // The names and the fading flags of others are drawn here: the cursors of y-codemirror.next
      // keep a name that has changed, and put the colours that others send into style attributes.
      yCollab(text, null, { undoManager: new Y.UndoManager(text) }),
      sharedCursors(text, awareness),
      // A carriage return is a character of the shared text, or the positions would drift apart.
      EditorState.lineSeparator.of('\n'),
      EditorView.clipboardInputFilter.of(pasted => pasted.replace(/\r\n?/g, '\n')),
      EditorView.lineWrapping,
      EditorView.cspNonce.of(nonce),
      EditorView.contentAttributes.of({
        'aria-label': 'Shared text',
        spellcheck: 'true',
        autocapitalize: 'sentences'
      }),
      placeholder(invitation)
    ]
  })
})
