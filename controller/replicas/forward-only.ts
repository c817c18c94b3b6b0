/** Invariant H5, for all that is served by one replica: a number is never followed by a lower one. */
import type { Logger, Publication, Publisher } from '../loop/ports.js';

/** `publisher`, but what would go back is not published: it is a bug of ours, and told as one. */
export function forwardOnly(publisher: Publisher, logger: Logger): Publisher {
  let highest = 0;
  return {
    proxies: () => publisher.proxies(),
    publish(publication: Publication) {
      if (publication.generation < highest) {
        const { generation } = publication;
        logger.error('invariant.violated', { invariant: 'H5', generation, highest });
        return;
      }
      highest = publication.generation;
      publisher.publish(publication);
    },
  };
}
