export class Groups {
  constructor(service) { this.service = service; }
  async handle() { return [404, '']; }
  members() { return []; }
}
