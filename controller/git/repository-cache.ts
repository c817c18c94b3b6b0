/**
 * The bare repository that commits are fetched into: made on first use, replaced by a new one after
 * any failure and before it has gathered too much. So a corrupt object, a leftover lock or half a pack
 * costs one shallow fetch, and disk use is bounded.
 */
import type { CacheFolder } from './cache-folder.js';
import type { LocalGit } from './local-git.js';

/** Every fetch leaves the objects of a commit behind; upkeep by git itself is off. */
const fetchesMax = 100;

export class RepositoryCache {
  readonly #folder: Pick<CacheFolder, 'freshRepositoryPath'>;
  readonly #git: Pick<LocalGit, 'text'>;
  #gitDir: string | undefined;
  #fetches = 0;

  constructor(folder: Pick<CacheFolder, 'freshRepositoryPath'>, git: Pick<LocalGit, 'text'>) {
    this.#folder = folder;
    this.#git = git;
  }

  /** True where the next `use` begins with what earlier ones left. */
  get isUsed(): boolean {
    return this.#gitDir !== undefined && this.#fetches < fetchesMax;
  }

  /**
   * Hands the bare repository to `work`, which fetches into it and reads it; `objectFormat` is that of
   * the server. Whatever `work` throws also discards the repository.
   */
  async use<T>(objectFormat: 'sha1' | 'sha256', work: (gitDir: string) => Promise<T>): Promise<T> {
    const gitDir =
      this.isUsed && this.#gitDir !== undefined ? this.#gitDir : await this.#create(objectFormat);
    this.#fetches += 1;
    try {
      return await work(gitDir);
    } catch (error) {
      this.#gitDir = undefined;
      throw error;
    }
  }

  async #create(objectFormat: 'sha1' | 'sha256'): Promise<string> {
    const gitDir = await this.#folder.freshRepositoryPath();
    const args = ['init', '--quiet', '--bare', `--object-format=${objectFormat}`];
    await this.#git.text(gitDir, args);
    this.#gitDir = gitDir;
    this.#fetches = 0;
    return gitDir;
  }
}
