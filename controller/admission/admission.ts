/**
 * The operator's files and rules → who may open xDS streams. The files are looked at again and again, as
 * the secrets of proxies are: new handshakes use what is new, streams go on as long as what they were
 * opened with still counts, and a file that is broken never takes the place of one that was good.
 */
import { errorText } from '../base/op-error.js';
import type { CertificateExpiry, Clock, Logger } from '../loop/ports.js';
import type { Admission, TlsMaterial } from '../xds/admission.js';
import { admit } from './admit.js';
import { loadMaterial, type MaterialFiles, readFiles } from './material.js';
import type { Rule } from './rules.js';

/** At least one of certificates (`clientCa` and `rules`) and tokens (`tokenKey`). */
export interface AdmissionSettings extends MaterialFiles {
  readonly rules: readonly Rule[];
}

export interface AdmissionSource extends Admission {
  /** When the port's own certificate ends, and the first of the authorities that it asks. */
  expiries(): readonly CertificateExpiry[];
  stop(): void;
}

interface Deps {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Between two looks at the files: a revocation is in effect within this and a second. */
const lookEveryMs = 1_000;

/**
 * Reads all files.
 * @throws OpError `admission-invalid` (stalled) where one is missing or broken.
 */
export function createAdmission(settings: AdmissionSettings, deps: Deps): AdmissionSource {
  const { clock, logger } = deps;
  let material = loadMaterial(settings, readFiles(settings));
  let broken: string | undefined;
  let take: (material: TlsMaterial) => void = () => {};
  const look = (): void => {
    cancel = clock.after(lookEveryMs, look);
    try {
      const files = readFiles(settings);
      if (JSON.stringify(files) !== material.read) {
        const before = material.tls;
        material = loadMaterial(settings, files);
        logger.info('admission.reloaded', {});
        if (material.tls !== undefined && material.tls !== before) {
          take(material.tls);
        }
      }
      broken = undefined;
    } catch (error) {
      const message = errorText(error);
      if (message !== broken) {
        logger.error('admission.broken', { message, serving: 'what was read before' });
      }
      broken = message;
    }
  };
  let cancel = clock.after(lookEveryMs, look);
  const { tls } = material;
  return {
    admit: (evidence) => admit(evidence, settings.rules, { now: () => material, clock }),
    ...(tls && {
      tls: {
        now: () => material.tls ?? tls,
        onChange: (listener) => {
          take = listener;
        },
      },
    }),
    expiries: () => material.expiries,
    stop: () => cancel(),
  };
}
