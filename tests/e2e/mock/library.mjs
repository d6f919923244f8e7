// What we use of the npm packages, in one place. They are found by NODE_PATH, since they are
// installed outside the source tree; `import` does not look there, `require` does.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const home = path.dirname(require.resolve('@signalapp/mock-server/package.json'));

export const libsignal = require('@signalapp/libsignal-client');
export const zkgroup = require('@signalapp/libsignal-client/zkgroup');
export const MultiRecipientMessage =
  require('@signalapp/libsignal-client/dist/SealedSenderMultiRecipientMessage').default;

export const { Server } = require('@signalapp/mock-server');
export const { Connection } = require('@signalapp/mock-server/src/server/ws');
export const { EnvelopeType } = require('@signalapp/mock-server/src/server/base');
export const { createHandler } = require('@signalapp/mock-server/src/server/http');
export const crypto = require('@signalapp/mock-server/src/crypto');
export const { attachmentToPointer } = require('@signalapp/mock-server/src/data/attachment');
export const { signalservice: protos } = require('@signalapp/mock-server/protos/compiled');
export const micro = require('micro');
export const { WebSocketServer } = require('ws');

export const certificate = (file) => readFileSync(path.join(home, 'certs', file));
export const parameters = JSON.parse(certificate('zk-params.json'));
export const trustRoot = JSON.parse(certificate('trust-root.json'));

export const ACI = 'ACI';
export const PNI = 'PNI';
export const bare = (pni) => pni.replace('PNI:', '');
export const fromBase64 = (text) => Buffer.from(text, 'base64');
export const toBase64 = (bytes) => Buffer.from(bytes).toString('base64');

// Bytes are base64 and enums are words in the JSON of the control port.
const AS_JSON = { bytes: String, enums: String, longs: Number };
export const toJson = (type, message) => type.toObject(message, AS_JSON);
