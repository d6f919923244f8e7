// The three CDNs in memory: resumable uploads (TUS), form uploads, downloads with ranges.

import { randomUUID } from 'node:crypto';

const FILE_PART = /name="file"/;

export class Blobs {
  #blobs = new Map();

  put(key, bytes) {
    this.#blobs.set(key, bytes);
  }

  get(key) {
    return this.#blobs.get(key);
  }

  /** Where the next attachment goes. Clients put the CDN's own path in front of the address. */
  uploadForm(service) {
    const key = randomUUID();
    return { cdn: 3, key, headers: {}, signedUploadLocation: `${service}/attachments/${key}` };
  }

  /** Answers a request below /cdn0, /cdn2 or /cdn3. */
  async handle(request, response, body) {
    const key = new URL(request.url, 'http://mock').pathname.replace(/^\/cdn\d\/+/, '');
    const known = this.#blobs.get(key) ?? Buffer.alloc(0);
    const offset = { 'Upload-Offset': known.length, 'Tus-Resumable': '1.0.0' };
    switch (request.method) {
      case 'GET':
        return this.#download(request, response, key);
      case 'HEAD':
        return response.writeHead(200, offset).end();
      case 'PATCH': {
        const whole = Buffer.concat([known, body]);
        this.put(key, whole);
        return response.writeHead(204, { 'Upload-Offset': whole.length }).end();
      }
      case 'POST':
        return key === '' ? this.#form(request, response, body) : this.#begin(request, response, key);
      default:
        return response.writeHead(405).end();
    }
  }

  #begin(request, response, key) {
    this.put(key, Buffer.alloc(0));
    response.writeHead(201, { Location: `https://${request.headers.host}/${key}` }).end();
  }

  #download(request, response, key) {
    const bytes = this.#blobs.get(key);
    if (!bytes) {
      return response.writeHead(404).end();
    }
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const part = bytes.subarray(from);
    return response.writeHead(from ? 206 : 200, { 'Content-Length': part.length }).end(part);
  }

  /** A browser's form with the fields `key` and `file`. */
  #form(request, response, body) {
    const boundary = /boundary=(.*)$/.exec(request.headers['content-type'])[1];
    const fields = split(body, Buffer.from(`--${boundary}`)).map((part) => {
      const end = part.indexOf('\r\n\r\n');
      return { head: part.subarray(0, end).toString(), data: part.subarray(end + 4, -2) };
    });
    const key = fields.find(({ head }) => /name="key"/.test(head)).data.toString();
    this.put(key, fields.find(({ head }) => FILE_PART.test(head)).data);
    response.writeHead(204).end();
  }
}

function split(bytes, separator) {
  const parts = [];
  let start = bytes.indexOf(separator) + separator.length;
  for (let end; (end = bytes.indexOf(separator, start)) !== -1; start = end + separator.length) {
    parts.push(bytes.subarray(start, end));
  }
  return parts;
}
