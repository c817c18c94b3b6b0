/** All checks in their order: before a controller is set up, or of one that runs. */
import type { Settings } from '../config.js';
import { type Ask, controllerChecks } from './controller.js';
import { gitCheck, nodeCheck, portAnswers, portIsFree, stateCheck } from './machine.js';
import type { Category } from './result.js';
import { certificateChecks, repositoryChecks, secretChecks, serverClockCheck } from './settings.js';

export interface CheckRequest {
  /** Undefined: no settings are known, only the controller's address. */
  readonly settings?: Settings;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What there is to say of the Node that runs; undefined: nothing. */
  readonly nodeAdvice?: string;
  /** The controller to ask; undefined: there is none yet. */
  readonly controller?: { readonly server: string; readonly ask: Ask };
  /** Called before each category, for people who wait. */
  readonly onCategory: (name: string) => void;
}

export async function runChecks(request: CheckRequest): Promise<readonly Category[]> {
  const { settings, env, nodeAdvice, controller, onCategory } = request;
  const categories: Category[] = [];
  const add = async (name: string, look: () => Promise<Category['checks']>): Promise<void> => {
    onCategory(name);
    categories.push({ name, checks: await look() });
  };
  await add('machine', async () => [
    nodeCheck(process.versions.node, nodeAdvice),
    await gitCheck(),
  ]);
  if (settings !== undefined) {
    await add('repository', async () => [
      ...(await repositoryChecks(settings)),
      await serverClockCheck(settings),
    ]);
    await add('certificates', () => certificateChecks(settings));
    await add('secrets', () => secretChecks(settings, env));
    const portCheck = controller === undefined ? portIsFree : portAnswers;
    await add('this machine’s part', async () => [
      await stateCheck(settings.state),
      await portCheck('xDS', settings.xds),
      await portCheck('HTTP', settings.http),
    ]);
  }
  if (controller !== undefined) {
    await add('controller', () => controllerChecks(controller.server, controller.ask));
  }
  return categories;
}
