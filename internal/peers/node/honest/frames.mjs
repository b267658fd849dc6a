// Sessions as bytes: a count, and for each session a seed, whether it is exotic (1 or 0; session.mjs), a count, and for each
// update a kind and the update. A kind is a word of who made the update and a word of how.

import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'

export const encode = write => Buffer.from(encoding.encode(write)).toString('base64')
export const decode = (frames, read) => read(decoding.createDecoder(new Uint8Array(Buffer.from(frames, 'base64'))))

export const readList = (decoder, read) => Array.from({ length: decoding.readVarUint(decoder) }, () => read(decoder))

export function writeList (encoder, list, write) {
  encoding.writeVarUint(encoder, list.length)
  for (const item of list) write(encoder, item)
}

export const readUpdate = decoder => ({
  kind: decoding.readVarString(decoder),
  update: decoding.readVarUint8Array(decoder)
})

export function writeUpdate (encoder, { kind, update }) {
  encoding.writeVarString(encoder, kind)
  encoding.writeVarUint8Array(encoder, update)
}

export const readSession = decoder => ({
  seed: decoding.readVarUint(decoder),
  exotic: decoding.readVarUint(decoder) === 1,
  updates: readList(decoder, readUpdate)
})

export function writeSession (encoder, { seed, exotic, updates }) {
  encoding.writeVarUint(encoder, seed)
  encoding.writeVarUint(encoder, exotic ? 1 : 0)
  writeList(encoder, updates, writeUpdate)
}
