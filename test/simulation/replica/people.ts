import type { DocId } from '../../../src/core/ids.ts';
import type { HeldConflict, Outcome } from '../../../src/peer/folderSession.ts';
import type { SeededRandom } from '../seededRandom.ts';
import type { VirtualTime } from '../virtualTime.ts';
import type { Invariants } from './invariants.ts';
import { breakText, editAtRandom, isBroken, mendText, newDocument, replaceToken, scalarTokens } from './openApiText.ts';
import type { SimulatedPeer } from './simulatedPeer.ts';
import type { Ledger } from './tokens.ts';
import { tokensOf, tokensOnlyIn } from './tokens.ts';

/** A file that git set back is left alone for so long, for its replica has to notice before anybody goes on with it. */
const NOTICE_MS = 3_000;
/** Git goes back no further than this. */
const OLD_REVISIONS = 6;
/** So long after git's last word the guard still says that it is at work. */
const GIT_QUIET_MS = 500;
const MAX_EDIT_ATTEMPTS = 4;

/** What is the matter with a file, until the same person brings it to an end. */
type Oddity =
  | { readonly kind: 'broken' }
  | { readonly kind: 'typing' }
  | { readonly kind: 'setBack'; noticedAt: number }
  | { readonly kind: 'away' }
  | { readonly kind: 'deleted'; readonly raw: string; readonly seen: string };

/** Everything that people can do; which of it happens in one simulation is left to the seed. */
export const DOINGS = [
  'edit',
  'clash',
  'type',
  'decide',
  'pause',
  'break',
  'setBack',
  'switchBranch',
  'delete',
  'create',
] as const;
export type Doing = (typeof DOINGS)[number] | 'deleteForGood' | 'rename' | 'generate';

type Saving = 'byHand' | 'auto' | 'outside';
const SAVINGS: readonly Saving[] = ['byHand', 'byHand', 'auto', 'outside'];

interface World {
  readonly time: VirtualTime;
  readonly random: SeededRandom;
  readonly peers: readonly SimulatedPeer[];
  readonly ledger: Ledger;
  readonly invariants: Invariants;
  readonly note: (what: string) => void;
  readonly fail: (what: string) => void;
}

/** A choice in a conflict that can still be taken back. */
interface Choice {
  readonly docId: DocId;
  readonly removed: readonly string[];
  /** What the choice put into the library. */
  readonly sent: readonly string[];
}

/** The people in front of the windows. They are honest: they take away only what they see. */
export class People {
  readonly #world: World;
  readonly #doings: readonly Doing[];
  readonly #oddities = new Map<string, Oddity>();
  readonly #choices = new Map<SimulatedPeer, { readonly process: unknown; readonly stack: Choice[] }>();
  #created = 0;
  #renamed = 0;
  /** Names that files have had. */
  readonly #formerNames: string[] = [];

  constructor(world: World, doings: readonly Doing[]) {
    this.#world = world;
    this.#doings = doings;
  }

  /** Somebody does something. */
  act(): void {
    const { random, peers } = this.#world;
    const peer = random.pick(peers);
    const doing = random.chance(0.4) ? 'edit' : random.pick(this.#doings);
    const path = this.#pickPath(peer);
    if (doing === 'pause') this.#pause(peer);
    else if (doing === 'decide') this.#decide(peer);
    else if (doing === 'create') this.#create();
    else if (doing === 'switchBranch') this.#switchBranch(peer);
    else if (doing === 'generate') this.#generate(peer);
    else if (path === undefined) return;
    else if (peer.documentAt(path)?.state === 'behind') this.#leaveBehind(peer, path);
    else if (peer.documentAt(path)?.state === 'misnamed' && random.chance(0.5)) this.#decideName(peer, path);
    else if (doing === 'rename') this.#rename(path, peer);
    else if (doing === 'edit') this.#edit(peer, path);
    else if (doing === 'clash') this.#clash(path);
    else if (doing === 'type') this.#type(peer, path);
    else if (doing === 'break') this.#break(peer, path);
    else if (doing === 'setBack') this.#setBack(peer, path);
    else if (doing === 'deleteForGood') this.#deleteForGood(peer, path);
    else this.#delete(peer, path);
  }

  /** Everything odd is brought to an end; called again and again while the world heals. */
  tidy(): void {
    for (const peer of this.#world.peers) {
      peer.resume();
      for (const [key, oddity] of [...this.#oddities]) {
        const path = key.slice(peer.name.length + 1);
        if (key.startsWith(`${peer.name} `)) this.#tidyOne(peer, path, oddity);
      }
      this.#answerMissing(peer);
      this.#makeRoom(peer);
      for (const path of peer.folder.files.keys()) {
        const isBehind = peer.documentAt(path)?.state === 'behind';
        if (peer.documentAt(path)?.state === 'misnamed') this.#decideName(peer, path);
        if (isBehind && !this.#oddities.has(this.#key(peer, path))) this.#leaveBehind(peer, path);
      }
    }
  }

  /** A window that died with unsaved buffers may have lost them. */
  forgetBuffers(peer: SimulatedPeer): void {
    for (const path of [...peer.folder.buffers.keys()]) {
      if (this.#world.random.chance(0.5)) continue;
      peer.folder.setBuffer(path, undefined);
      this.#oddities.delete(this.#key(peer, path));
    }
  }

  // ---- saving ----

  #edit(peer: SimulatedPeer, path: string): void {
    const seen = peer.folder.text(path);
    if (seen === undefined || this.#isOdd(peer, path)) return;
    const next = this.#edited(peer, seen);
    if (next !== undefined) this.#save(peer, path, seen, next, 'edits');
  }

  /** A program rewrites all files of a folder in one go. */
  #generate(peer: SimulatedPeer): void {
    for (const path of [...peer.folder.files.keys()]) {
      const seen = peer.folder.text(path);
      if (seen === undefined || this.#isOdd(peer, path)) continue;
      const next = this.#edited(peer, seen);
      if (next !== undefined) this.#save(peer, path, seen, next, 'generates', 'outside');
    }
  }

  /** Two people change the same element, each without the other's change. */
  #clash(path: string): void {
    const { random, peers, ledger } = this.#world;
    const able = peers.filter(({ folder }) => folder.files.has(path)).filter((peer) => !this.#isOdd(peer, path));
    const [first] = able;
    if (first === undefined || able.length < 2) return;
    const common = scalarTokens(first.folder.text(path) ?? '');
    if (common.length === 0) return;
    const token = random.pick(common);
    for (const peer of able) {
      const seen = peer.folder.text(path) ?? '';
      if (!tokensOf(seen).has(token) || random.chance(0.3)) continue;
      this.#save(peer, path, seen, replaceToken(seen, token, ledger.mint(peer.name)), 'clashes in');
    }
  }

  #type(peer: SimulatedPeer, path: string): void {
    const { folder } = peer;
    const seen = folder.seen(path);
    if (seen === undefined || (this.#isOdd(peer, path) && !folder.buffers.has(path))) return;
    const next = this.#edited(peer, seen);
    if (next === undefined) return;
    this.#world.note(`${peer.name} types in ${path}`);
    folder.setBuffer(path, this.#rawLike(folder.files.get(path) ?? '', next));
    if (this.#oddities.get(this.#key(peer, path))?.kind === 'typing') return;
    this.#oddities.set(this.#key(peer, path), { kind: 'typing' });
    this.#later(100, 5_000, () => {
      this.#endTyping(peer, path);
    });
  }

  #endTyping(peer: SimulatedPeer, path: string): void {
    const { random } = this.#world;
    if (!peer.folder.buffers.has(path)) return;
    if (peer.documentAt(path)?.state === 'waiting' && random.chance(0.4)) {
      this.#world.note(`${peer.name} merges now in ${path}`);
      this.#expect(peer.replica?.choices.mergeNow(peer.folder.fileOf(path)));
      this.#later(0, 2_000, () => {
        this.#endBuffer(peer, path);
      });
      return;
    }
    this.#endBuffer(peer, path);
  }

  #endBuffer(peer: SimulatedPeer, path: string): void {
    const raw = peer.folder.buffers.get(path);
    if (raw === undefined) return;
    const isKept = this.#world.random.chance(0.75);
    this.#oddities.delete(this.#key(peer, path));
    peer.folder.setBuffer(path, undefined);
    if (!isKept) {
      this.#world.note(`${peer.name} reverts ${path}`);
      return;
    }
    const seen = peer.folder.text(path) ?? '';
    this.#save(peer, path, seen, raw.replaceAll('\r\n', '\n'), 'saves the buffer of', 'byHand');
  }

  #break(peer: SimulatedPeer, path: string): void {
    const seen = peer.folder.text(path);
    if (seen === undefined || this.#isOdd(peer, path)) return;
    this.#oddities.set(this.#key(peer, path), { kind: 'broken' });
    this.#save(peer, path, seen, breakText(this.#edited(peer, seen) ?? seen), 'breaks');
    this.#later(200, 8_000, () => {
      this.#mend(peer, path);
    });
  }

  #mend(peer: SimulatedPeer, path: string): void {
    const seen = peer.folder.text(path);
    this.#oddities.delete(this.#key(peer, path));
    if (seen !== undefined && isBroken(seen)) this.#save(peer, path, seen, mendText(seen), 'mends');
  }

  #create(): void {
    const { random, peers, ledger } = this.#world;
    if (this.#created >= 2) return;
    this.#created += 1;
    const path = `new-${String(this.#created)}.yaml`;
    this.#world.invariants.allowedEntries += 1;
    const creators = peers.filter(() => random.chance(0.6));
    const isSame = random.chance(0.3);
    const common = newDocument(() => ledger.mint('origin'), 2);
    for (const peer of creators) {
      const text = isSame ? common : newDocument(() => ledger.mint(peer.name), 2);
      this.#later(0, 300, () => {
        // Who has put the file away for a moment puts no other one there: that would replace what the document had, which
        // the ledger does not know to be this person's doing.
        const isFree = !peer.folder.files.has(path) && !this.#isOdd(peer, path);
        if (isFree) this.#save(peer, path, '', text, 'creates');
      });
    }
  }

  // ---- names ----

  /** The program has given a file another place: what was the matter with it there is the matter with it here. */
  moved(peer: SimulatedPeer, from: string, to: string): void {
    if (peer.decided.has(from)) peer.decided.add(to);
    const oddity = this.#oddities.get(this.#key(peer, from));
    if (oddity === undefined) return;
    this.#oddities.delete(this.#key(peer, from));
    this.#oddities.set(this.#key(peer, to), oddity);
    if (oddity.kind === 'setBack') this.#watchSetBack(peer, to);
    if (oddity.kind === 'broken')
      this.#later(200, 2_000, () => {
        this.#mend(peer, to);
      });
  }

  /** Somebody gives a file another name, perhaps two people at once, perhaps with a change of its text. */
  #rename(path: string, first: SimulatedPeer): void {
    const { random, peers } = this.#world;
    const also = random.chance(0.3) ? random.pick(peers) : first;
    for (const peer of new Set([first, also])) {
      const { folder } = peer;
      if (!folder.files.has(path) || this.#isOdd(peer, path) || folder.hindrance !== undefined) continue;
      this.#renamed += 1;
      const old = random.chance(0.2) && this.#formerNames.length > 0 ? random.pick(this.#formerNames) : undefined;
      // A file that takes the place of one that is missing, and was not given up yet, is that document.
      const isTaken = old === undefined || folder.files.has(old) || peer.documentAt(old) !== undefined;
      const to = isTaken ? `name-${String(this.#renamed)}.yaml` : old;
      this.#formerNames.push(path);
      // One that cannot be told from a deletion and a new file is both: what was seen there lives on here.
      for (const name of [path, to]) this.#decideFor(peer, name);
      for (const token of tokensOf(folder.text(path) ?? '')) this.#world.ledger.retract(peer.name, token);
      this.#world.note(`${peer.name} renames ${path} to ${to}`);
      for (const one of peers) if (one.decided.has(path)) one.decided.add(to);
      folder.rename(path, to);
      if (random.chance(0.3)) this.#edit(peer, to);
    }
  }

  #decideName(peer: SimulatedPeer, path: string): void {
    const { random, invariants } = this.#world;
    const choice = random.pick(['bringBack', 'keepMine'] as const);
    this.#world.note(`${peer.name} chooses ${choice} for the name of ${path}`);
    invariants.allowedEntries += 1;
    this.#expect(peer.replica?.choices.leaveBehind(peer.folder.fileOf(path), choice));
  }

  /**
   * What stands in the way of a new name: a file of nobody's that git has left behind is cleared away, and where another
   * document has the place, which is gone here or was deleted by others, the person says what is to become of that.
   */
  #makeRoom(peer: SimulatedPeer): void {
    for (const { docId, path, problem } of peer.replica?.documents ?? []) {
      const to = peer.store.documents.get(docId)?.libraryPath;
      const asked = peer.replica?.conflicts.find((held) => held.path === to && held.docId !== docId);
      if (problem?.code === 'name-taken' && asked !== undefined)
        this.#expect(this.#resolve(peer, asked, this.#world.random.pick(['ours', 'theirs'])));
      if (problem?.code === 'path-taken') this.#renameAway(peer, path);
      if (problem?.code !== 'file-not-renamed' || to === undefined || peer.documentAt(to) !== undefined) continue;
      this.#world.note(`${peer.name} clears ${to} away for ${path}`);
      peer.folder.remove(to);
    }
  }

  /** A file whose name the library has for another one gets another name. */
  #renameAway(peer: SimulatedPeer, path: string): void {
    this.#renamed += 1;
    const to = `name-${String(this.#renamed)}.yaml`;
    for (const name of [path, to]) this.#decideFor(peer, name);
    this.#world.note(`${peer.name} renames ${path} to ${to}, for its name is taken`);
    peer.folder.rename(path, to);
  }

  // ---- git and the disk ----

  #setBack(peer: SimulatedPeer, path: string): void {
    const { random, invariants, ledger } = this.#world;
    const seen = peer.folder.text(path);
    if (seen === undefined || this.#isOdd(peer, path) || peer.folder.hindrance !== undefined) return;
    const old = invariants.revisions.filter((revision) => revision.path === path && revision.text !== seen);
    if (old.length === 0) return;
    const { text, index } = random.pick(old.slice(-OLD_REVISIONS));
    this.#oddities.set(this.#key(peer, path), { kind: 'setBack', noticedAt: Infinity });
    this.#hinder(peer, 'git is at work');
    this.#later(0, 60, () => {
      const before = peer.folder.text(path);
      if (before !== undefined) {
        // What this person had done is taken back by this person's own git; what others did is not.
        for (const token of tokensOnlyIn(before, text))
          if (ledger.isOf(peer.name, token)) ledger.remove(peer.name, token);
        this.#decideFor(peer, path);
        this.#world.note(`${peer.name} git sets ${path} back to ${String(index)}`);
        peer.folder.save(path, this.#rawLike(peer.folder.files.get(path) ?? '', text), undefined);
      }
      // The guard waits until git has left its index alone for a while.
      this.#later(GIT_QUIET_MS, GIT_QUIET_MS + 400, () => {
        this.#hinder(peer, undefined);
        this.#watchSetBack(peer, path);
      });
    });
  }

  /** Nobody goes on with a file that was set back before its replica had the chance to notice. */
  #watchSetBack(peer: SimulatedPeer, path: string): void {
    const oddity = this.#oddities.get(this.#key(peer, path));
    if (oddity?.kind !== 'setBack') return;
    const { now } = this.#world.time;
    const sees = peer.service?.status.connection === 'connected' && peer.pausedSince === undefined;
    const canRead = !['syncing', 'unwritable'].includes(peer.documentAt(path)?.state ?? 'syncing');
    const canNotice = peer.replica !== undefined && sees && canRead && peer.folder.hindrance === undefined;
    if (!canNotice) oddity.noticedAt = Infinity;
    else if (oddity.noticedAt === Infinity) oddity.noticedAt = now + NOTICE_MS;
    if (canNotice && now >= oddity.noticedAt) {
      this.#oddities.delete(this.#key(peer, path));
      if (peer.documentAt(path)?.state === 'behind') this.#leaveBehind(peer, path);
      return;
    }
    this.#later(200, 400, () => {
      this.#watchSetBack(peer, path);
    });
  }

  #leaveBehind(peer: SimulatedPeer, path: string): void {
    const { random, ledger } = this.#world;
    const { replica, store } = peer;
    const file = peer.folder.text(path);
    const stored = [...store.documents.values()].find(({ localPath }) => localPath === path);
    if (replica === undefined || file === undefined || stored?.shadow === undefined) return;
    const choice = random.pick(['bringBack', 'keepMine'] as const);
    this.#world.note(`${peer.name} chooses ${choice} for ${path}`);
    this.#decideFor(peer, path);
    if (choice === 'keepMine')
      for (const token of tokensOnlyIn(stored.shadow.text, file)) ledger.remove(peer.name, token);
    else for (const token of tokensOnlyIn(file, stored.shadow.text)) ledger.remove(peer.name, token);
    this.#expect(replica.choices.leaveBehind(peer.folder.fileOf(path), choice));
  }

  /** Another branch is checked out for a while, with other texts in the same files. */
  #switchBranch(peer: SimulatedPeer): void {
    const { random, invariants } = this.#world;
    const { folder } = peer;
    if (folder.hindrance !== undefined) return;
    const paths = [...folder.files.keys()].filter((path) => !this.#isOdd(peer, path) && random.chance(0.7));
    if (paths.length === 0) return;
    this.#hinder(peer, 'git is on another branch');
    this.#world.note(`${peer.name} goes to another branch`);
    for (const path of paths) {
      const raw = folder.files.get(path) ?? '';
      const texts = invariants.revisions.filter((revision) => revision.path === path).map(({ text }) => text);
      this.#oddities.set(this.#key(peer, path), { kind: 'away' });
      folder.stashes.set(path, raw);
      folder.save(path, this.#rawLike(raw, texts.length === 0 ? raw : random.pick(texts)), undefined);
    }
    this.#later(100, 5_000, () => {
      this.#comeBack(peer);
    });
  }

  #comeBack(peer: SimulatedPeer): void {
    const { folder } = peer;
    if (folder.stashes.size === 0) return;
    this.#world.note(`${peer.name} comes back to its branch`);
    for (const [path, raw] of [...folder.stashes]) {
      folder.stashes.delete(path);
      folder.save(path, raw, undefined);
      this.#oddities.delete(this.#key(peer, path));
    }
    this.#later(GIT_QUIET_MS, GIT_QUIET_MS + 50, () => {
      this.#hinder(peer, undefined);
    });
  }

  #delete(peer: SimulatedPeer, path: string): void {
    const { random, ledger, invariants } = this.#world;
    const raw = peer.folder.files.get(path);
    const seen = peer.folder.text(path);
    const head = invariants.headAt(path);
    if (raw === undefined || seen === undefined || head === undefined || this.#isOdd(peer, path)) return;
    this.#world.note(`${peer.name} deletes ${path}`);
    const isRestoredWhole = random.chance(0.6);
    this.#oddities.set(this.#key(peer, path), { kind: 'deleted', raw: isRestoredWhole ? raw : '', seen });
    if (isRestoredWhole) peer.folder.stashes.set(path, raw);
    else
      for (const token of tokensOnlyIn(seen, head.text))
        if (ledger.isOf(peer.name, token)) ledger.remove(peer.name, token);
    this.#bring(peer, path, seen);
    peer.folder.remove(path);
    // Sooner than a deletion is taken for one.
    this.#later(200, 1_500, () => {
      this.#restore(peer, path);
    });
  }

  /** Somebody deletes a file and means it; others may be editing it at the same moment. */
  #deleteForGood(peer: SimulatedPeer, path: string): void {
    const { ledger, invariants } = this.#world;
    const seen = peer.folder.text(path);
    if (seen === undefined || this.#isOdd(peer, path)) return;
    this.#world.note(`${peer.name} deletes ${path} for good`);
    invariants.allowedEntries += 1;
    for (const token of tokensOf(seen)) ledger.remove(peer.name, token);
    peer.folder.remove(path);
  }

  /** A file that is gone for a reason that nobody could tell: deleted for everybody, or back again. */
  #answerMissing(peer: SimulatedPeer): void {
    const { random, ledger, invariants } = this.#world;
    const { replica, folder, store } = peer;
    for (const { docId, path, state, file } of replica?.documents ?? []) {
      if (state !== 'missing' || this.#isOdd(peer, path) || folder.files.has(path)) continue;
      const choice = random.pick(['bringBack', 'keepMine'] as const);
      this.#world.note(`${peer.name} chooses ${choice} for ${path}, which is gone`);
      invariants.allowedEntries += 1;
      const known = tokensOf(store.documents.get(docId)?.shadow?.text ?? '');
      if (choice === 'keepMine') for (const token of known) ledger.remove(peer.name, token);
      this.#expect(replica?.choices.leaveBehind(file, choice));
    }
  }

  #restore(peer: SimulatedPeer, path: string): void {
    const oddity = this.#oddities.get(this.#key(peer, path));
    if (oddity?.kind !== 'deleted') return;
    this.#oddities.delete(this.#key(peer, path));
    peer.folder.stashes.delete(path);
    const there = peer.folder.text(path);
    if (there !== undefined) {
      // The library's copy has come in its place; what was deleted stays deleted.
      for (const token of tokensOnlyIn(oddity.raw, there)) this.#world.ledger.remove(peer.name, token);
      return;
    }
    const known = [...peer.store.documents.values()].find(({ localPath }) => localPath === path);
    const raw = oddity.raw === '' ? known?.shadow?.text : oddity.raw;
    // Deleted by somebody else, too: there is nothing that could be restored.
    if (raw === undefined) return;
    this.#world.note(`${peer.name} restores ${path}`);
    // What is restored may be older than what was deleted, and is nothing that never came here.
    this.#decideFor(peer, path);
    for (const token of tokensOnlyIn(oddity.seen, raw))
      if (this.#world.ledger.isOf(peer.name, token)) this.#world.ledger.remove(peer.name, token);
    peer.folder.save(path, raw, undefined);
  }

  // ---- what the window offers ----

  #pause(peer: SimulatedPeer): void {
    const { replica } = peer;
    if (replica === undefined || peer.pausedSince !== undefined) return;
    this.#world.note(`${peer.name} pauses`);
    peer.pause();
    this.#later(300, 6_000, () => {
      if (peer.replica === replica) peer.resume();
    });
  }

  #decide(peer: SimulatedPeer): void {
    const { random } = this.#world;
    const { replica } = peer;
    if (replica === undefined) return;
    const conflicts = replica.conflicts.filter(({ path }) => !this.#isOdd(peer, path));
    if (replica.choices.canUndoResolution && (conflicts.length === 0 || random.chance(0.3))) {
      this.#undo(peer).catch((error: unknown) => {
        if (!String(error).includes('SIMULATED')) this.#world.fail(`undo failed: ${String(error)}`);
      });
      return;
    }
    if (conflicts.length === 0) return;
    this.#expect(this.#resolve(peer, random.pick(conflicts), random.pick(['ours', 'theirs'])));
  }

  async #resolve(peer: SimulatedPeer, held: HeldConflict, choice: 'ours' | 'theirs'): Promise<void> {
    const { ledger } = this.#world;
    const { replica, process } = peer;
    if (replica === undefined) return;
    const { ours, theirs, id, label } = held.conflict;
    const [lost, kept] = choice === 'ours' ? [theirs, ours] : [ours, theirs];
    const removed = tokensOnlyIn(lost?.text ?? '', kept?.text ?? '').filter(
      (token) => !ledger.wasRemovedBy(peer.name, token),
    );
    const sent = tokensOnlyIn(kept?.text ?? '', lost?.text ?? '');
    for (const token of removed) ledger.remove(peer.name, token);
    this.#decideFor(peer, held.path);
    this.#world.note(`${peer.name} chooses ${choice} at ${label}: -${removed.join(' -')}`);
    const outcome = await replica.choices.resolveConflicts(held.docId, new Map([[id, { choice }]]));
    this.#world.note(`${peer.name} choice at ${label}: ${outcome.isDone ? 'done' : outcome.problem.code}`);
    // What was decided over a whole file is taken back by doing it again, not by undo.
    const canUndo = held.conflict.pointer !== '' || held.conflict.kind !== 'edit-delete';
    if (outcome.isDone && canUndo) this.#choicesOf(peer, process).push({ docId: held.docId, removed, sent });
    else if (!outcome.isDone && !isInDoubt(outcome)) {
      // What the person's own git has taken away meanwhile stays away.
      const there = tokensOf((peer.folder.text(held.path) ?? '') + (theirs?.text ?? ''));
      for (const token of removed) if (there.has(token)) ledger.restore(peer.name, token);
    }
  }

  async #undo(peer: SimulatedPeer): Promise<void> {
    const { replica, process } = peer;
    const choices = this.#choicesOf(peer, process);
    const choice = choices.at(-1);
    // It may have another name by now.
    const path = replica?.documents.find(({ docId }) => docId === choice?.docId)?.path;
    if (replica === undefined || choice === undefined || (path !== undefined && this.#isOdd(peer, path))) return;
    if (path !== undefined) this.#decideFor(peer, path);
    choices.pop();
    for (const token of choice.sent) this.#world.ledger.retract(peer.name, token);
    const outcome = await replica.choices.undoResolution();
    this.#world.note(`${peer.name} takes a choice back: ${outcome.isDone ? 'done' : outcome.problem.code}`);
    if (outcome.isDone) for (const token of choice.removed) this.#world.ledger.restore(peer.name, token);
    else if (outcome.problem.code !== 'changed-since') choices.push(choice);
  }

  /** The choices that this process could still take back. */
  #choicesOf(peer: SimulatedPeer, process: unknown): Choice[] {
    const known = this.#choices.get(peer);
    if (known !== undefined && known.process === process) return known.stack;
    const stack: Choice[] = [];
    this.#choices.set(peer, { process, stack });
    return stack;
  }

  // ---- helpers ----

  /** What a person asked for may fail with the disk, and with nothing else. */
  #expect(asked: Promise<unknown> | undefined): void {
    asked?.catch((error: unknown) => {
      if (!String(error).includes('SIMULATED')) this.#world.fail(`what was asked for failed: ${String(error)}`);
    });
  }

  #tidyOne(peer: SimulatedPeer, path: string, oddity: Oddity): void {
    if (oddity.kind === 'broken') this.#mend(peer, path);
    else if (oddity.kind === 'typing') this.#endBuffer(peer, path);
    else if (oddity.kind === 'away') this.#comeBack(peer);
    else if (oddity.kind === 'deleted') this.#restore(peer, path);
    else this.#watchSetBack(peer, path);
  }

  #save(
    peer: SimulatedPeer,
    path: string,
    seen: string,
    next: string,
    verb: string,
    how: Saving = this.#world.random.pick(SAVINGS),
  ): void {
    const { ledger, invariants, note } = this.#world;
    invariants.allowedEntries += 1;
    note(
      `${peer.name} ${verb} ${path} (${how}) +${tokensOnlyIn(next, seen).join(' +')} -${tokensOnlyIn(seen, next).join(' -')}`,
    );
    ledger.save(peer.name, seen, next);
    this.#bring(peer, path, seen);
    peer.folder.save(path, this.#rawLike(peer.folder.files.get(path) ?? '', next), how === 'outside' ? undefined : how);
  }

  /** What a copy held that has not met the library's may have been read before it changed, and meet it only now. */
  #bring(peer: SimulatedPeer, path: string, seen: string): void {
    const stored = [...peer.store.documents.values()].find(({ localPath }) => localPath === path);
    if (stored?.shadow === undefined) for (const token of tokensOf(seen)) peer.brought.add(token);
  }

  #edited(peer: SimulatedPeer, text: string): string | undefined {
    const { random, ledger } = this.#world;
    for (let attempt = 0; attempt < MAX_EDIT_ATTEMPTS; attempt += 1) {
      const next = editAtRandom(text, random, () => ledger.mint(peer.name));
      if (next !== undefined && next !== text) return next;
    }
    return undefined;
  }

  #decideFor(peer: SimulatedPeer, path: string): void {
    peer.decided.add(path);
    this.#world.invariants.allowedEntries += 1;
  }

  #hinder(peer: SimulatedPeer, reason: string | undefined): void {
    const { random, time } = this.#world;
    const hindrance = reason === undefined ? undefined : { reason, settlesInMs: random.chance(0.5) ? 500 : undefined };
    if (hindrance !== undefined || peer.folder.stashes.size === 0 || reason === undefined)
      peer.folder.hinder(hindrance, time.now);
  }

  /** Whether this file is left alone for now: also one that was set back, until the person has answered for it. */
  #isOdd(peer: SimulatedPeer, path: string): boolean {
    return this.#oddities.has(this.#key(peer, path)) || peer.documentAt(path)?.state === 'behind';
  }

  #key(peer: SimulatedPeer, path: string): string {
    return `${peer.name} ${path}`;
  }

  #pickPath(peer: SimulatedPeer): string | undefined {
    const paths = [...peer.folder.files.keys()];
    return paths.length === 0 ? undefined : this.#world.random.pick(paths);
  }

  #rawLike(raw: string, text: string): string {
    return raw.includes('\r\n') ? text.replaceAll('\r\n', '\n').replaceAll('\n', '\r\n') : text;
  }

  #later(low: number, high: number, run: () => void): void {
    this.#world.time.after(this.#world.random.between(low, high), undefined, run);
  }
}

/** Whether the disk failed in the middle of it, so that it may have been done or not. */
function isInDoubt(outcome: Outcome): boolean {
  return !outcome.isDone && outcome.problem.code === 'state-not-written';
}
