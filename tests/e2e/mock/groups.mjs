// Groups as the service keeps them: encrypted states and signed changes. The package's own accept
// few kinds of change, so these replace them.

import { fromBase64, protos, toBase64, zkgroup } from './library.mjs';
import { credentials } from './registration.mjs';

const { Actions } = protos.GroupChange;
const { AccessRequired } = protos.AccessControl;
const { Role } = protos.Member;
const DAY_SECONDS = 86_400;
const NONE = Buffer.alloc(0);

class Refusal extends Error {}

const same = (one, other) => Buffer.from(one).equals(Buffer.from(other));
const without = (list, userId, of = (entry) => entry.userId) =>
  (list ?? []).filter((entry) => !same(of(entry), userId));
const pendingId = (entry) => entry.member.userId;

export class Groups {
  #groups = new Map();

  constructor(service) {
    this.service = service;
  }

  get(publicParams) {
    return this.#groups.get(toBase64(publicParams));
  }

  create(state) {
    const group = new Group(this.service, state);
    this.#groups.set(toBase64(state.publicKey), group);
    return group;
  }

  /** Answers a request below /storage/v2/groups with [status, bytes]. */
  async handle(request, body) {
    const { pathname, searchParams } = new URL(request.url, 'http://mock');
    const who = await this.#authorize(request.headers.authorization);
    const [what, argument] = pathname.replace('/storage/v2/groups', '').split('/').filter(Boolean);
    if (what === 'avatar') {
      return [200, protos.AvatarUploadAttributes.encode({ ...UNUSED, key: avatarKey() }).finish()];
    }
    if (request.method === 'PUT') {
      return [200, this.create(protos.Group.decode(body)).response(who)];
    }
    const group = this.get(who.publicParams);
    if (!group) {
      return [404, NONE];
    }
    try {
      switch (what ?? request.method) {
        case 'GET':
          return [group.knows(who) ? 200 : 403, group.response(who)];
        case 'PATCH':
          return group.patch(who, Actions.decode(body), searchParams.get('inviteLinkPassword'));
        case 'logs':
          return [group.knows(who) ? 200 : 403, group.log(who, Number(argument))];
        case 'joined_at_version':
          return [200, protos.Member.encode(group.member(who.aci)).finish()];
        case 'join':
          return [200, group.joinInfo(who, argument)];
        default:
          return [404, NONE];
      }
    } catch (problem) {
      if (problem instanceof Refusal) {
        this.service.log(`group: ${problem.message}`);
        return [403, NONE];
      }
      throw problem;
    }
  }

  async #authorize(authorization) {
    const [publicParams, presentation] = credentials(authorization).map((hex) => Buffer.from(hex, 'hex'));
    const auth = await this.service.verifyGroupCredentials(publicParams, presentation);
    const [aci, pni] = [auth.getUuidCiphertext().serialize(), auth.getPniCiphertext().serialize()];
    return { publicParams, aci, pni };
  }
}

const UNUSED = { credential: 'x', acl: 'x', algorithm: 'x', date: 'x', policy: 'x', signature: 'x' };
let avatars = 0;
const avatarKey = () => `groups/${(avatars += 1)}`;

class Group {
  #changes = [];

  constructor(service, state) {
    this.service = service;
    this.publicParams = new zkgroup.GroupPublicParams(Buffer.from(state.publicKey));
    this.state = { ...state, version: 0 };
    this.state.members = state.members.map((member) => this.#shown(member, 0));
    this.#changes.push({ groupState: this.state });
  }

  member(userId) {
    return this.state.members.find((entry) => same(entry.userId, userId));
  }

  pending({ aci, pni }) {
    const entries = this.state.membersPendingProfileKey ?? [];
    return entries.find((entry) => [aci, pni].some((id) => same(pendingId(entry), id)));
  }

  knows(who) {
    return Boolean(this.member(who.aci) ?? this.pending(who));
  }

  response(who) {
    const group = this.state;
    const groupSendEndorsementResponse = this.#endorsements(who);
    return protos.GroupResponse.encode({ group, groupSendEndorsementResponse }).finish();
  }

  log(who, since) {
    return protos.GroupChanges.encode({
      groupChanges: this.#changes.slice(since),
      groupSendEndorsementResponse: this.#endorsements(who),
    }).finish();
  }

  joinInfo(who, password) {
    const { publicKey, title, avatar, members, version, descriptionBytes } = this.state;
    this.#checkPassword(password);
    return protos.GroupJoinInfo.encode({
      publicKey, title, avatar, version, descriptionBytes,
      memberCount: members.length,
      addFromInviteLink: this.state.accessControl.addFromInviteLink,
      pendingAdminApproval: (this.state.membersPendingAdminApproval ?? [])
        .some(({ userId }) => same(userId, who.aci)),
    }).finish();
  }

  patch(who, actions, password) {
    if (actions.version !== this.state.version + 1) {
      return [409, NONE];
    }
    const groupChange = this.change(who, actions, password);
    const groupSendEndorsementResponse = this.#endorsements(who);
    return [200, protos.GroupChangeResponse.encode({
      groupChange, groupSendEndorsementResponse,
    }).finish()];
  }

  /** Applies the actions and gives them signed, as members pass them on. Throws a Refusal. */
  change(who, actions, password) {
    const byPni = actions.promoteMembersPendingPniAciProfileKey?.length > 0;
    const applied = Object.assign(Actions.create(), actions, {
      sourceUserId: byPni ? who.pni : who.aci,
      groupId: this.publicParams.getGroupIdentifier().serialize(),
    });
    this.state = this.#applied(who, applied, password);
    const encoded = Buffer.from(Actions.encode(applied).finish());
    const signed = {
      actions: encoded,
      changeEpoch: 5,
      serverSignature: this.service.zkSecret.sign(encoded).serialize(),
    };
    this.#changes.push({ groupChange: signed, groupState: this.state });
    return signed;
  }

  #applied(who, actions, password) {
    const may = this.#rights(who, password);
    const state = { ...this.state, accessControl: { ...this.state.accessControl } };
    state.version = actions.version;
    const list = (name) => actions[name] ?? [];

    for (const change of list('addMembers')) {
      may.add(change.added);
      change.added = this.#shown(change.added, state.version);
      state.members = [...without(state.members, change.added.userId), change.added];
      state.membersPendingAdminApproval =
        without(state.membersPendingAdminApproval, change.added.userId);
    }
    for (const { deletedUserId } of list('deleteMembers')) {
      may.remove(deletedUserId);
      state.members = without(state.members, deletedUserId);
    }
    for (const { userId, role } of list('modifyMemberRoles')) {
      may.administrate('roles');
      state.members = state.members.map((entry) =>
        (same(entry.userId, userId) ? { ...entry, role } : entry));
    }
    for (const change of list('modifyMemberProfileKeys')) {
      const { userId, profileKey } = this.#presented(change);
      state.members = state.members.map((entry) =>
        (same(entry.userId, userId) ? { ...entry, profileKey } : entry));
    }
    for (const { added } of list('addPendingMembers')) {
      may.add(added.member);
      Object.assign(added, { addedByUserId: who.aci, timestamp: Date.now() });
      state.membersPendingProfileKey = [...(state.membersPendingProfileKey ?? []), added];
    }
    for (const { deletedUserId } of list('deletePendingMembers')) {
      state.membersPendingProfileKey =
        without(state.membersPendingProfileKey, deletedUserId, pendingId);
    }
    for (const name of ['promotePendingMembers', 'promoteMembersPendingPniAciProfileKey']) {
      for (const change of list(name)) {
        this.#promote(state, who, change);
      }
    }
    for (const { added } of list('addMemberPendingAdminApprovals')) {
      Object.assign(added, this.#presented(added), { timestamp: Date.now() });
      state.membersPendingAdminApproval = [...(state.membersPendingAdminApproval ?? []), added];
    }
    for (const { userId, role } of list('promoteMemberPendingAdminApprovals')) {
      may.administrate('requests');
      const entry = state.membersPendingAdminApproval.find((other) => same(other.userId, userId));
      state.membersPendingAdminApproval = without(state.membersPendingAdminApproval, userId);
      const { profileKey } = entry;
      const joinedAtVersion = state.version;
      state.members = [...state.members, { userId, profileKey, role, joinedAtVersion }];
    }
    for (const { deletedUserId } of list('deleteMemberPendingAdminApprovals')) {
      state.membersPendingAdminApproval =
        without(state.membersPendingAdminApproval, deletedUserId);
    }
    for (const { added } of list('addMembersBanned')) {
      may.administrate('bans');
      added.timestamp = Date.now();
      state.membersBanned = [...(state.membersBanned ?? []), added];
    }
    for (const { deletedUserId } of list('deleteMembersBanned')) {
      state.membersBanned = without(state.membersBanned, deletedUserId);
    }
    this.#applySettings(state, actions, may);
    return state;
  }

  #applySettings(state, actions, may) {
    const { accessControl } = state;
    const settings = [
      ['modifyTitle', 'title', state, 'title'],
      ['modifyAvatar', 'avatar', state, 'avatar'],
      ['modifyDescription', 'descriptionBytes', state, 'descriptionBytes'],
      ['modifyDisappearingMessagesTimer', 'timer', state, 'disappearingMessagesTimer'],
      ['modifyAnnouncementsOnly', 'announcementsOnly', state, 'announcementsOnly'],
      ['modifyInviteLinkPassword', 'inviteLinkPassword', state, 'inviteLinkPassword'],
      ['modifyAttributesAccess', 'attributesAccess', accessControl, 'attributes'],
      ['modifyMemberAccess', 'membersAccess', accessControl, 'members'],
      ['modifyAddFromInviteLinkAccess', 'addFromInviteLinkAccess', accessControl, 'addFromInviteLink'],
    ];
    settings.forEach(([action, member, where, name], index) => {
      if (actions[action]) {
        // The first four are attributes that members may be allowed to change.
        index < 4 ? may.edit(action) : may.administrate(action);
        where[name] = actions[action][member];
      }
    });
  }

  #promote(state, who, change) {
    const entry = this.pending(who);
    if (!entry) {
      throw new Refusal('was not invited');
    }
    Object.assign(change, this.#presented(change), { pni: who.pni });
    const { userId, profileKey } = change;
    const { role } = entry.member;
    const joinedAtVersion = state.version;
    state.membersPendingProfileKey =
      without(state.membersPendingProfileKey, pendingId(entry), pendingId);
    state.members = [...state.members, { userId, profileKey, role, joinedAtVersion }];
  }

  /** What somebody may do. Each throws a Refusal. */
  #rights(who, password) {
    const { attributes, members, addFromInviteLink } = this.state.accessControl;
    const self = this.member(who.aci);
    const isAdmin = self?.role === Role.ADMINISTRATOR;
    const need = (allowed, what) => {
      if (!allowed) {
        throw new Refusal(`may not change ${what}`);
      }
    };
    const allows = (access) => isAdmin || (self && access === AccessRequired.MEMBER);
    return {
      administrate: (what) => need(isAdmin, what),
      edit: (what) => need(allows(attributes), what),
      remove: (userId) => need(isAdmin || same(userId, who.aci), 'members'),
      add: () => {
        if (self) {
          return need(allows(members), 'members');
        }
        this.#checkPassword(password);
        return need(addFromInviteLink === AccessRequired.ANY, 'members');
      },
    };
  }

  #checkPassword(password) {
    const right = this.state.inviteLinkPassword ?? NONE;
    const isOff = this.state.accessControl.addFromInviteLink === AccessRequired.UNSATISFIABLE;
    if (isOff || !password || !same(right, fromBase64(password))) {
      throw new Refusal('wrong link');
    }
  }

  /** A member as everybody may see it: what the presentation proves instead of the proof. */
  #shown({ role, presentation }, joinedAtVersion) {
    return { role, joinedAtVersion, ...this.#presented({ presentation }) };
  }

  #presented({ presentation }) {
    const proof = new zkgroup.ProfileKeyCredentialPresentation(Buffer.from(presentation));
    const operations = new zkgroup.ServerZkProfileOperations(this.service.zkSecret);
    operations.verifyProfileKeyCredentialPresentation(this.publicParams, proof);
    return {
      presentation: undefined,
      userId: proof.getUuidCiphertext().serialize(),
      profileKey: proof.getProfileKeyCiphertext().serialize(),
    };
  }

  #endorsements(who) {
    if (!this.member(who.aci)) {
      return undefined;
    }
    const now = Math.floor(Date.now() / 1000);
    const expires = new Date(1000 * (now - (now % DAY_SECONDS) + 2 * DAY_SECONDS));
    const key = zkgroup.GroupSendDerivedKeyPair.forExpiration(expires, this.service.zkSecret);
    const ids = this.state.members.map(({ userId }) => new zkgroup.UuidCiphertext(Buffer.from(userId)));
    return zkgroup.GroupSendEndorsementsResponse.issue(ids, key).serialize();
  }
}
