// Package ywebsocket serves shared documents to Yjs editors over WebSockets.
//
// A [Server] is an [net/http.Handler]. It speaks the protocol of y-websocket, so
// that every Yjs editor with that provider works with it, as do pycrdt and other
// peers of the protocol:
//
//	server, err := ywebsocket.NewServer(ywebsocket.Options{Store: documents})
//	…
//	http.Handle("/ws/", http.StripPrefix("/ws", server))
//
// and in the browser
//
//	new WebsocketProvider("wss://example.com/ws", "room name", doc)
//
// # Rooms
//
// Connections with the same room name edit one document and see each other's
// awareness states. The name is the URL path below the mount point, or what
// [Options.RoomName] makes of the request. A room is loaded from the store when
// the first client joins, and removed from memory a while after the last one has
// left. Nobody is sent anything before the room is loaded; a room that cannot be
// loaded is refused, and never taken for an empty one.
//
// # What is saved
//
// An update is applied, sent to the others and handed to the store. When the
// store has committed it, the server sends the update back to the client it came
// from, byte for byte, as an update message; that includes updates that held
// nothing new, and those in the client's answer to the server's first sync
// message. So a client that compares what returns with what it has sent knows
// what is saved, even if the server dies the next moment.
//
// An update that builds on others which have not arrived is held back: it is
// neither stored nor sent to anybody, nor confirmed. Its sender is asked for what
// is missing, with the server's state vector, at most once a second. When that
// has come, from whomever, everything goes its usual way, and returns to those
// who wrote it as part of an update that holds more.
//
// A store that fails is tried again until it works. Meanwhile nothing is
// confirmed, and [Server.Ready] reports it. When a second try has failed, too, the
// room is read-only: everybody in it, and whoever joins, gets the authentication
// message of y-protocols that denies permission and says why. What they write then
// is neither taken nor lost: they have it in their documents, and are asked for it
// with the server's state vector when the store works again.
//
// A store that is slow, or does not answer, makes those who write wait when
// Limits.Unsaved is reached, and closes them with [CloseTryAgainLater] if that takes
// too long. They keep what was not confirmed, and send it again when they reconnect.
//
// A store that finds a room damaged opens what is sound of it; where too little is, the
// room is refused until that is repaired, see [store.ErrDamaged].
//
// # The past
//
// If the store is a [store.Archive], [Server.SaveVersion] gives the state of a room a
// name, and [Server.Restore] makes the room what it was, by an edit like any other: for
// everybody who is in it, and without losing what came later. [Server.RestoreAt] does so
// for a moment, as long as [Options.History] keeps it.
//
// # Clients and other transports
//
// A [Provider] is the client for Go programs: it keeps a document in sync with a room
// of any server that speaks the protocol, and reconnects when it has to. It works over
// a [Conn], which carries whole messages: a WebSocket, see [Dial], or what the program
// brings. With a [LocalStore] it keeps the document on its own side as well, so that what was
// written offline outlives the program. [Server.ServeConn] serves such a connection. [Server.Chain] puts both
// together and keeps a room in sync with one of another server.
//
// # Limits
//
// What a client can make the server hold is bounded by [Limits], and how long it
// can make it wait by [Timeouts]. A client that violates the protocol, or sends
// what is malformed, loses its connection with a [CloseCode] and a reason; the
// others in the room notice nothing.
//
// # Updates that break a document
//
// Should an update pass every check and break its document nevertheless, which
// none is known to do, its sender is closed with [ClosePoisoned]. The update is
// stored nowhere but in the quarantine, see [Options.Quarantine]. The room is
// loaded again, with what was on its way to the store: the others notice a pause
// at most. It is short at first and up to a minute if that repeats.
//
// # Who may connect
//
// By default only pages of the server's own origin, and everybody who is not a
// browser; and only under names that cannot be forged by DNS rebinding. See
// [Options.AllowedOrigins] and [Options.AllowedHosts]. Everything else, such as
// who may enter which room, is up to a handler in front of the server and to
// [Options.RoomName].
package ywebsocket
