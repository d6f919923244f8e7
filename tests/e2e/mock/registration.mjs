// Registering a number: a session, a code by SMS, the account's keys. Any six digits are right,
// except 000000.

import { randomUUID } from 'node:crypto';
import { ACI, PNI, bare, crypto, fromBase64, libsignal } from './library.mjs';

export class Registration {
  #sessions = new Map();

  constructor(service) {
    this.service = service;
  }

  handles(path) {
    return path.startsWith('/v1/verification/session') || path === '/v1/registration';
  }

  async handle(request, body) {
    if (request.url === '/v1/registration') {
      return this.#register(request.headers.authorization, JSON.parse(body));
    }
    const [, id, isCode] = /^\/v1\/verification\/session\/?([^/]*)(\/code)?/.exec(request.url);
    const wanted = body.length ? JSON.parse(body) : {};
    const session = id ? this.#sessions.get(id) : this.#open(wanted.number);
    if (!session) {
      return [404, {}];
    }
    if (wanted.captcha) {
      Object.assign(session, { allowedToRequestCode: true, requestedInformation: [] });
    }
    if (isCode && request.method === 'PUT') {
      session.verified = wanted.code !== '000000';
    }
    return [200, session];
  }

  #open() {
    const captcha = this.service.captchaRequired;
    const session = {
      id: randomUUID(),
      nextSms: 0,
      nextCall: 0,
      nextVerificationAttempt: 0,
      allowedToRequestCode: !captcha,
      requestedInformation: captcha ? ['captcha'] : [],
      verified: false,
    };
    this.#sessions.set(session.id, session);
    return session;
  }

  async #register(authorization, wanted) {
    if (!this.#sessions.get(wanted.sessionId)?.verified) {
      return [403, {}];
    }
    const { service } = this;
    const [number, password] = credentials(authorization);
    const { registrationId, pniRegistrationId } = wanted.accountAttributes;
    const device = await service.registerDevice({
      number, password, registrationId, pniRegistrationId,
    });
    for (const [kind, name] of [[ACI, 'aci'], [PNI, 'pni']]) {
      await device.setKeys(kind, {
        identityKey: libsignal.PublicKey.deserialize(fromBase64(wanted[`${name}IdentityKey`])),
        signedPreKey: crypto.decodeSignedPreKey(wanted[`${name}SignedPreKey`]),
        lastResortKey: crypto.decodeKyberPreKey(wanted[`${name}PqLastResortPreKey`]),
      });
    }
    service.setAttributes(device, wanted.accountAttributes);
    const { aci, pni } = device;
    return [200, {
      uuid: aci, pni: bare(pni), number, storageCapable: false, reregistration: false,
    }];
  }
}

export function credentials(authorization) {
  const text = fromBase64(authorization.replace(/^Basic /i, '')).toString();
  const colon = text.indexOf(':');
  return [text.slice(0, colon), text.slice(colon + 1)];
}
