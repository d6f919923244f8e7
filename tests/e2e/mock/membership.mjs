// What a phone knows of its groups: the master keys, and so everything that the service keeps
// encrypted.

import { fromBase64, libsignal, protos, toBase64, zkgroup } from './library.mjs';

const { Actions } = protos.GroupChange;
const { AccessRequired } = protos.AccessControl;
const { Role } = protos.Member;

export class Membership {
  #secrets = new Map();

  constructor(phone) {
    this.phone = phone;
  }

  /** Remembers the group of a master key; its id. */
  learn(masterKey) {
    const key = new zkgroup.GroupMasterKey(Buffer.from(masterKey));
    return this.#remember(zkgroup.GroupSecretParams.deriveFromMasterKey(key));
  }

  async create({ title, members }) {
    const secrets = zkgroup.GroupSecretParams.generate();
    const cipher = new zkgroup.ClientZkGroupCipher(secrets);
    const phones = [this.phone, ...members.map((name) => this.phone.service.phones.get(name))];
    const asMember = async (phone, index) => ({
      role: index ? Role.DEFAULT : Role.ADMINISTRATOR,
      presentation: await presentation(phone, secrets),
    });
    this.phone.service.groupStore.create(protos.Group.fromObject({
      publicKey: secrets.getPublicParams().serialize(),
      title: blob(cipher, { title }),
      accessControl: {
        attributes: AccessRequired.MEMBER,
        members: AccessRequired.MEMBER,
        addFromInviteLink: AccessRequired.UNSATISFIABLE,
      },
      members: await Promise.all(phones.map(asMember)),
    }));
    return { group: this.#remember(secrets) };
  }

  /** The service's id, and all that a member can read of a group. */
  describe({ group }) {
    const { cipher, state } = this.#open(group);
    const read = (bytes) => (bytes?.length ? unblob(cipher, bytes) : {});
    const who = (userId) => serviceId(cipher, userId);
    return {
      group,
      title: read(state.title).title,
      description: read(state.descriptionBytes).descriptionText ?? '',
      revision: state.version,
      members: state.members.map(({ userId, role }) => ({ id: who(userId), admin: role === Role.ADMINISTRATOR })),
      pending: (state.membersPendingProfileKey ?? []).map(({ member }) => who(member.userId)),
      requesting: (state.membersPendingAdminApproval ?? []).map(({ userId }) => who(userId)),
      announcementsOnly: Boolean(state.announcementsOnly),
    };
  }

  members(group) {
    return this.describe({ group }).members.map(({ id }) => id);
  }

  context(group) {
    const { secrets, state } = this.#open(group);
    return { masterKey: secrets.getMasterKey().serialize(), revision: state.version };
  }

  // -- changes; each tells the other members ---------------------------------------------------

  rename({ group, title }) {
    const { cipher } = this.#open(group);
    return this.#change(group, { modifyTitle: { title: blob(cipher, { title }) } });
  }

  /** Invites the account with this ACI: it becomes a member once it accepts. */
  invite({ group, aci }) {
    const member = { userId: this.#encrypted(group, aci), role: Role.DEFAULT };
    return this.#change(group, { addPendingMembers: [{ added: { member } }] }, [aci]);
  }

  async accept({ group }) {
    const proof = await presentation(this.phone, this.#open(group).secrets);
    return this.#change(group, { promotePendingMembers: [{ presentation: proof }] });
  }

  setRole({ group, aci, admin }) {
    const role = admin ? Role.ADMINISTRATOR : Role.DEFAULT;
    return this.#change(group, {
      modifyMemberRoles: [{ userId: this.#encrypted(group, aci), role }],
    });
  }

  remove({ group, aci }) {
    const deletedUserId = this.#encrypted(group, aci);
    return this.#change(group, { deleteMembers: [{ deletedUserId }] }, [aci]);
  }

  /** By an invitation link, `https://signal.group/#…`: a member at once, or asks an admin. */
  async joinByLink({ link }) {
    const contents = protos.GroupInviteLink.decode(fromBase64(
      new URL(link).hash.slice(1).replace(/-/g, '+').replace(/_/g, '/'),
    )).v1Contents;
    const group = this.learn(contents.groupMasterKey);
    const { secrets, state } = this.#open(group);
    const added = { role: Role.DEFAULT, presentation: await presentation(this.phone, secrets) };
    const isOpen = state.accessControl.addFromInviteLink === AccessRequired.ANY;
    const actions = isOpen
      ? { addMembers: [{ added, joinFromInviteLink: true }] }
      : { addMemberPendingAdminApprovals: [{ added: { presentation: added.presentation } }] };
    return this.#change(group, actions, [], toBase64(contents.inviteLinkPassword));
  }

  async #change(group, changes, alsoTell = [], password = undefined) {
    const { primary, service } = this.phone;
    const { secrets, state, serverGroup } = this.#open(group);
    const who = {
      aci: this.#encrypted(group, primary.device.aci),
      pni: this.#encrypted(group, primary.device.pni),
    };
    const version = state.version + 1;
    const before = this.members(group);
    const signed = serverGroup.change(who, Actions.fromObject({ ...changes, version }), password);
    const groupV2 = {
      masterKey: secrets.getMasterKey().serialize(),
      revision: version,
      groupChange: protos.GroupChange.encode(signed).finish(),
    };
    const audience = new Set([...before, ...this.members(group), ...alsoTell]);
    for (const aci of audience) {
      const device = service.devicesByServiceId.get(aci);
      if (device && device !== primary.device) {
        await this.phone.send({ to: device.number, content: { dataMessage: { groupV2 } } });
      }
    }
    return { group, revision: version };
  }

  // -- keys ------------------------------------------------------------------------------------

  #remember(secrets) {
    const group = toBase64(secrets.getPublicParams().getGroupIdentifier().serialize());
    this.#secrets.set(group, secrets);
    return group;
  }

  #open(group) {
    const secrets = this.#secrets.get(group);
    if (!secrets) {
      throw new Error(`${this.phone.name} does not know the group ${group}`);
    }
    const cipher = new zkgroup.ClientZkGroupCipher(secrets);
    const serverGroup = this.phone.service.groupStore.get(secrets.getPublicParams().serialize());
    return { secrets, cipher, serverGroup, state: serverGroup.state };
  }

  #encrypted(group, id) {
    const parsed = libsignal.ServiceId.parseFromServiceIdString(id);
    return this.#open(group).cipher.encryptServiceId(parsed).serialize();
  }
}

function presentation(phone, secrets) {
  return phone.primary.getProfileKeyPresentation(secrets).then((proof) => proof.serialize());
}

function serviceId(cipher, userId) {
  const encrypted = new zkgroup.UuidCiphertext(Buffer.from(userId));
  return cipher.decryptServiceId(encrypted).getServiceIdString();
}

function blob(cipher, attribute) {
  return cipher.encryptBlob(Buffer.from(protos.GroupAttributeBlob.encode(attribute).finish()));
}

function unblob(cipher, bytes) {
  return protos.GroupAttributeBlob.decode(cipher.decryptBlob(Buffer.from(bytes)));
}
