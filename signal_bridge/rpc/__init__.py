"""JSON-RPC 2.0 over one socket: framing and messages are pure, the client has the thread."""
