// A simulated telephone: the package's primary device, which keeps a list of what it received.

import nodeCrypto from 'node:crypto';
import { Membership } from './membership.mjs';
import {
  ACI, EnvelopeType, attachmentToPointer, crypto, fromBase64, libsignal, protos, toBase64,
  toJson,
} from './library.mjs';

export class Phone {
  received = [];
  #waiting = [];
  #sessions = new WeakSet();

  constructor(service, name, primary) {
    Object.assign(this, { service, name, primary, groups: new Membership(this) });
  }

  describe() {
    const { number, aci, pni } = this.primary.device;
    return { name: this.name, number, aci, pni };
  }

  scan({ uri }) {
    return this.service.provisioning.scan(uri, this.primary);
  }

  // -- receiving -----------------------------------------------------------------------------

  async receive(source, kind, type, envelope) {
    const at = Date.now();
    const { primary } = this;
    try {
      const { unsealedSource, content } = await primary.lock(
        () => primary.decrypt(source, kind, type, Buffer.from(envelope.content)),
      );
      this.#sessions.add(unsealedSource);
      await this.#process(unsealedSource, content);
      this.#record({
        at,
        source: unsealedSource.number,
        sourceDevice: unsealedSource.deviceId,
        sealed: type === EnvelopeType.SealedSender,
        timestamp: Number(envelope.timestamp),
        group: this.#groupOf(content),
        content: toJson(protos.Content, content),
      });
    } catch (problem) {
      this.service.log(`${this.name} cannot read it: ${problem.stack}`);
      this.#record({ at, error: problem.message, content: {} });
    }
  }

  async #process(source, content) {
    if (content.senderKeyDistributionMessage?.length) {
      await this.primary.processSenderKeyDistribution(source, content.senderKeyDistributionMessage);
    }
    if (content.syncMessage?.request) {
      await this.primary.handleSync(source, content.syncMessage);
    }
  }

  #groupOf(content) {
    const data = content.dataMessage ?? content.editMessage?.dataMessage;
    return data?.groupV2 ? this.groups.learn(data.groupV2.masterKey) : undefined;
  }

  #record(message) {
    this.received.push(message);
    this.#waiting.splice(0).forEach((wake) => wake());
  }

  /** What came after the first `after`; waits up to `seconds` for something. */
  async list({ after = 0, seconds = 0 }) {
    if (this.received.length <= after && seconds > 0) {
      await new Promise((resolve) => {
        this.#waiting.push(resolve);
        setTimeout(resolve, seconds * 1000);
      });
    }
    return this.received.slice(after);
  }

  async download({ pointer }) {
    const blob = this.service.blobs.get(`attachments/${pointer.cdnKey}`);
    return { data: toBase64(decrypt(blob, fromBase64(pointer.key)).subarray(0, pointer.size)) };
  }

  // -- sending -------------------------------------------------------------------------------

  /** Encrypts `data` and puts it where the service keeps such; what a message carries of it. */
  async upload({ data, contentType, fileName }) {
    const encrypted = crypto.encryptAttachment(fromBase64(data));
    const pointer = attachmentToPointer(await this.service.storeAttachment(encrypted.blob), encrypted);
    const { AttachmentPointer } = protos;
    return toJson(AttachmentPointer, AttachmentPointer.fromObject({
      ...pointer, cdnNumber: 3, contentType, fileName,
    }));
  }

  /**
   * Sends `content`, a Content in JSON, to every device of the account `to` (a number), or to
   * every other member of `group`. Its own linked devices get it if `to` is its own number.
   */
  async send({ to, group, content, sealed = false, timestamp = Date.now() }) {
    const message = protos.Content.fromObject(content);
    const data = message.dataMessage ?? message.editMessage?.dataMessage;
    if (data) {
      data.timestamp = timestamp;
      data.profileKey = this.primary.profileKey.serialize();
      data.groupV2 ??= group && this.groups.context(group);
    }
    const targets = group ? this.#members(group) : this.service.devices.get(to);
    if (!targets) {
      throw new Error(`${to} is not registered`);
    }
    for (const device of targets.filter((each) => each !== this.primary.device)) {
      await this.#session(device);
      await this.primary.sendRaw(device, message, { timestamp, sealed });
    }
    return { timestamp };
  }

  #members(group) {
    return this.groups.members(group).flatMap((aci) => {
      const device = this.service.devicesByServiceId.get(aci);
      return device ? this.service.allDevices(device) : [];
    });
  }

  async #session(device) {
    if (!this.#sessions.has(device)) {
      await this.primary.addSingleUseKey(device, await device.popSingleUseKey(ACI));
      this.#sessions.add(device);
    }
  }

  // -- the account ---------------------------------------------------------------------------

  async unlink({ device }) {
    await this.service.removeDevice(this.primary.device.number, device);
  }

  setRegistered({ registered }) {
    const change = registered ? 'register' : 'unregister';
    this.service[change](this.primary);
  }

  /** As after the app was installed anew: other keys, no sessions. */
  async changeIdentity() {
    const { primary } = this;
    primary.privateKey = libsignal.PrivateKey.generate();
    primary.publicKey = primary.privateKey.getPublicKey();
    const store = primary.identity.get(ACI);
    await store.updateIdentityKey(primary.privateKey);
    await store.saveIdentity(primary.device.address, primary.publicKey);
    primary.device.registrationId = (primary.device.registrationId % 16000) + 1;
    await store.updateLocalRegistrationId(primary.device.registrationId);
    await primary.device.setKeys(ACI, await primary.generateKeys(primary.device, ACI));
    primary.privSenderCertificate = await primary.config.getSenderCertificate();
    primary.sessions.sessions.clear();
    this.#sessions = new WeakSet();
  }
}

/** The other half of the package's encryptAttachment: iv, ciphertext, 32 bytes of MAC. */
function decrypt(blob, key) {
  const decipher = nodeCrypto.createDecipheriv('aes-256-cbc', key.subarray(0, 32), blob.subarray(0, 16));
  return Buffer.concat([decipher.update(blob.subarray(16, -32)), decipher.final()]);
}
