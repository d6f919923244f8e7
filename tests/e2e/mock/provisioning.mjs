// Linking: a device opens a socket and shows its address as a QR code; a phone, or a signal-cli
// that is a phone's equal, answers to that address with the account's keys.

import { randomUUID } from 'node:crypto';
import { ACI, PNI, bare, crypto, fromBase64, libsignal, protos } from './library.mjs';

export class Provisioning {
  #waiting = new Map();
  #codes = new Map();

  open(chat) {
    const address = randomUUID();
    this.#waiting.set(address, chat);
    chat.ws.once('close', () => this.#waiting.delete(address));
    const body = protos.ProvisioningUuid.encode({ uuid: address }).finish();
    void chat.send('PUT', '/v1/address', { body });
  }

  answer(address, body) {
    const chat = this.#waiting.get(address);
    if (!chat) {
      throw new Error(`nobody waits at ${address}`);
    }
    void chat.send('PUT', '/v1/message', { body });
  }

  /** A code that lets one device join the account of `device`. */
  code(device) {
    const code = randomUUID();
    this.#codes.set(code, device);
    return code;
  }

  redeem(code) {
    const device = this.#codes.get(code);
    if (!device) {
      throw new Error(`unknown code ${code}`);
    }
    this.#codes.delete(code);
    return device;
  }

  /** What a phone does with the QR code of a link. */
  async scan(uri, primary) {
    const { searchParams } = new URL(uri);
    const theirKey = libsignal.PublicKey.deserialize(fromBase64(searchParams.get('pub_key')));
    const keys = { aci: await primary.getIdentityKey(ACI), pni: await primary.getIdentityKey(PNI) };
    const message = protos.ProvisionMessage.encode({
      aciIdentityKeyPublic: keys.aci.getPublicKey().serialize(),
      aciIdentityKeyPrivate: keys.aci.serialize(),
      pniIdentityKeyPublic: keys.pni.getPublicKey().serialize(),
      pniIdentityKeyPrivate: keys.pni.serialize(),
      aci: primary.device.aci,
      pni: bare(primary.device.pni),
      number: primary.device.number,
      provisioningCode: this.code(primary.device),
      profileKey: primary.profileKey.serialize(),
      readReceipts: true,
      ProvisioningVersion: protos.ProvisioningVersion.CURRENT,
      masterKey: primary.masterKey,
      accountEntropyPool: primary.accountEntropyPool,
      mediaRootBackupKey: primary.mediaRootBackupKey,
    }).finish();
    const sealed = crypto.encryptProvisionMessage(Buffer.from(message), theirKey);
    this.answer(searchParams.get('uuid'), protos.ProvisionEnvelope.encode({
      publicKey: sealed.ephemeralKey, body: sealed.body,
    }).finish());
  }
}
