package protocol

// SyncType is the second integer of a sync message.
type SyncType uint64

// The sync messages (y-protocols sync.js).
const (
	// SyncStep1 carries the state vector of its sender and asks for what the
	// sender lacks. The answer is a SyncStep2.
	SyncStep1 SyncType = 0
	// SyncStep2 carries an update with everything that the state vector of the
	// SyncStep1 it answers did not cover.
	SyncStep2 SyncType = 1
	// SyncUpdate carries an update that has just been made.
	SyncUpdate SyncType = 2
)

// AppendSyncStep1 appends to dst the message that asks for what a document with
// this state vector lacks, and returns the extended buffer.
func AppendSyncStep1(dst, stateVector []byte) []byte {
	return appendSync(dst, SyncStep1, stateVector)
}

// AppendSyncStep2 appends to dst the message that answers a SyncStep1, and
// returns the extended buffer.
func AppendSyncStep2(dst, update []byte) []byte {
	return appendSync(dst, SyncStep2, update)
}

// AppendUpdate appends to dst the message that passes an update on, and returns
// the extended buffer.
func AppendUpdate(dst, update []byte) []byte {
	return appendSync(dst, SyncUpdate, update)
}

func appendSync(dst []byte, t SyncType, payload []byte) []byte {
	return appendVarBytes(append(dst, byte(MessageSync), byte(t)), payload)
}

// readSync reads what follows the type of the message that starts at start.
func readSync(d *Decoder, start int) (Message, error) {
	t, err := d.ReadVarUint()
	if err != nil {
		return Message{}, err
	}
	if t > uint64(SyncUpdate) {
		return Message{}, &UnknownMessageError{Type: MessageSync, Subtype: t, Offset: start}
	}
	payload, err := d.ReadVarBytes()
	if err != nil {
		return Message{}, err
	}
	return Message{Type: MessageSync, Sync: SyncType(t), Payload: payload}, nil
}
