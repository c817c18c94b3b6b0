/**
 * What rollout policies can have wrong; decoding finds what lies within one document. Each code is produced by
 * a golden case.
 */
import type { ProblemEntry } from '../base/problem.js';

export const policyProblems = {
  HG0601: {
    title: 'progress that does not rise',
    cause: 'A step of a policy has no more progress than the one before it.',
    resolution: 'Let progress rise from step to step.',
    example:
      'steps: [{ progress: 50, bake: 1m }, { progress: 25, bake: 1m }, { progress: 100, ' +
      'bake: 1m }]',
  },
  HG0602: {
    title: 'last step below 100',
    cause: "A policy's last step leaves the change unfinished.",
    resolution: 'End with a step of progress 100.',
    example: 'steps: [{ progress: 50, bake: 1m }]',
  },
  HG0603: {
    title: 'gate name taken',
    cause:
      'Two gates of one policy have the same name, or one is called proxies, which is always ' +
      'there.',
    resolution: 'Rename the gate.',
    example: 'gates: [{ name: proxies, successRate: { min: 99 } }]',
  },
  HG0604: {
    title: 'two default policies',
    cause: 'Two policies of one mesh have no selector, so both would be for everything else.',
    resolution: 'Give one of them a selector.',
    example:
      'kind: RolloutPolicy\nmetadata: { name: a }\nspec: {}\n---\nkind: ' +
      'RolloutPolicy\nmetadata: { name: b }\nspec: {}',
  },
  HG0605: {
    title: 'two policies for one resource',
    cause:
      'Two policies name the same resource, or the labels of two policies select the same ' +
      'resource.',
    resolution:
      'Leave it to one of them; a policy that names a resource goes before one that selects ' +
      'by labels.',
    example: 'selector: { virtualRouters: [reviews] } # in two policies',
  },
  HG0606: {
    title: 'duration out of range',
    cause:
      'A bake time, a window or a deadline is longer or shorter than it may be, or a ' +
      'deadline ends before the bake time does.',
    resolution: 'Use a duration in the range that the message names.',
    example: 'stepDeadline: 1m # with bake: 5m',
  },
  HG0607: {
    title: 'policy for nothing',
    cause: 'No router, node or gateway of the mesh has all the labels that the policy asks for.',
    resolution: 'Correct the labels, or remove the policy.',
    example: 'selector: { matchLabels: { team: serach } }',
  },
  HG0608: {
    title: 'gate at no step',
    cause: 'A gate is to be asked at a progress that no step of the policy has.',
    resolution: 'Name the progress of a step, as it is written there.',
    example:
      'gates: [{ name: errors, from: 20, successRate: { min: 99 } }] # with steps 5, 25, 100',
  },
  HG0609: {
    title: 'gate with at and from',
    cause: 'A gate says twice, and not the same, at which steps it is asked.',
    resolution: 'Keep at for single steps, or from for all steps from one on.',
    example: 'gates: [{ name: errors, at: [25], from: 25, successRate: { min: 99 } }]',
  },
  HG0610: {
    title: 'bounds that contradict',
    cause: 'No number lies between the bounds of a gate, or it has bounds and an exact value.',
    resolution: 'Exchange min and max, or keep one of equals and the bounds.',
    example: 'query: { provider: prometheus, query: up, min: 2, max: 1 }',
  },
  HG0611: {
    title: 'name in braces that is not known',
    cause: 'A query or a path has a name in double braces that stands for nothing.',
    resolution: 'Use one of the names that the message has, or close the braces.',
    example: 'query: \'sum(rate(errors{node=~"{{ cannary }}"}[1m]))\'',
  },
  HG0612: {
    title: "path out of the provider's URL",
    cause:
      "A gate's path would lead to what is not below the URL that the operator gave the provider.",
    resolution: 'Name what is below it, without dots between slashes.',
    example: 'http: { provider: smoke-tests, path: /../admin }',
  },
  HG0613: {
    title: 'provider that is not configured',
    cause:
      "A gate asks a provider that is not in the controller's configuration, which alone says " +
      'whom gates may ask.',
    resolution: 'Correct the name, or ask the operator to add the provider.',
    example: 'query: { provider: promethues, query: up, min: 1 }',
  },
  HG0614: {
    title: 'provider of another kind',
    cause: 'A gate asks a provider that cannot answer it: query needs one of kind prometheus.',
    resolution: 'Name a provider of the kind that the message names.',
    example: 'grpc: { provider: prometheus }',
  },
  HG0615: {
    title: 'provider that was not looked for',
    cause: "A gate asks a provider, and the controller's configuration is not at hand.",
    resolution: "Give headgate validate the controller's config file with --config.",
    example: 'query: { provider: prometheus, query: up, min: 1 }',
  },
  HG0616: {
    title: 'time zone that is not known',
    cause: 'A window names a time zone that the IANA database does not have.',
    resolution: 'Use a name of the IANA database, as Europe/Berlin, or UTC.',
    example: 'windows: { allow: [{ from: "09:00", to: "16:00", timeZone: Europe/Berln }] }',
  },
  HG0617: {
    title: 'freeze that ends before it begins',
    cause: 'The end of a freeze is not after its start, so it would hold nothing.',
    resolution: 'Exchange from and to.',
    example: 'windows: { freeze: [{ from: 2027-01-04, to: 2026-12-20, timeZone: UTC }] }',
  },
  HG0620: {
    title: 'policies that wait for one another',
    cause:
      'A rollout policy is after itself, directly or over others, so nothing could ever start.',
    resolution: 'Take one of the names out of after.',
    example: 'metadata: { name: web }\nspec: { after: [web] }',
  },
  HG0621: {
    title: 'steps beside blueGreen',
    cause: 'A policy says twice in which steps its rollouts go.',
    resolution: 'Keep steps, or blueGreen, which is two steps of its own.',
    example: 'steps: [{ progress: 100, bake: 1m }]\nblueGreen: { … }',
  },
  HG0622: {
    title: 'mirroring beside weights',
    cause:
      'A step copies requests to a version that gets requests of its own by then: it would get ' +
      'some of them twice.',
    resolution: 'Put steps with mirror before the first one with progress, and without progress.',
    example: 'steps: [{ progress: 5, mirror: { percent: 10 }, bake: 1m }, …]',
  },
  HG0623: {
    title: 'step that a route cannot take',
    cause:
      'A policy tells requests apart by what the routes of a router that it selects do not have: ' +
      'a TCP connection has no headers and cannot be copied, gRPC clients keep no cookies, and ' +
      'gRPC calls are POST requests.',
    resolution: 'Select that router by a policy of its own, or tell requests apart another way.',
    example: 'sticky: { cookie: { name: version } } # and a router with a grpcRoute',
  },
  HG0624: {
    title: 'match on what a gateway rewrites',
    cause:
      'A step tells requests apart by their host name or path, which a gateway rewrites before ' +
      "a router's routes see it.",
    resolution: 'Use another header, or a cookie.',
    example: 'match: { headers: [{ name: host, match: { exact: preview.example.com } }] }',
  },
} as const satisfies Readonly<Record<`HG06${number}`, ProblemEntry>>;
