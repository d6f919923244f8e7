// What waits for one device: kept until the device has acknowledged it, as the real service does,
// so a client killed in between finds it again. The package forgets it.

export class Mailbox {
  waiting = [];
  socket = null;

  put(envelope) {
    this.waiting.push(envelope);
    if (this.socket) {
      this.#push(this.socket, envelope);
    }
  }

  open(socket) {
    this.socket = socket;
    this.waiting.slice().forEach((envelope) => this.#push(socket, envelope));
    // Nobody acknowledges this one.
    void socket.send('PUT', '/api/v1/queue/empty', {});
  }

  close(socket) {
    if (this.socket === socket) {
      this.socket = null;
    }
  }

  async #push(socket, envelope) {
    const headers = [`X-Signal-Timestamp:${Date.now()}`];
    const { status } = await socket.send('PUT', '/api/v1/message', { headers, body: envelope });
    if (status === 200) {
      this.waiting = this.waiting.filter((other) => other !== envelope);
    }
  }
}
