/** Parts that several kinds share (durations, TLS, access logs) in the model's terms. */
import { assert } from '../base/assert.js';
import type * as yaml from '../generated/schema-types.js';
import type {
  AccessLog,
  ClientPolicy,
  ListenerTls,
  Timeout,
  TlsCertificate,
  TlsValidation,
} from '../mesh/model.js';

export function durationMs(duration: yaml.Duration | yaml.PositiveDuration): number {
  return duration.unit === 's' ? duration.value * 1000 : duration.value;
}

export function optionalMs(duration: yaml.Duration | undefined): number | undefined {
  return duration === undefined ? undefined : durationMs(duration);
}

/** Undefined where nothing is set, so that `timeout: {}` and no timeout are the same. */
export function timeout(written: yaml.RequestTimeout | undefined): Timeout | undefined {
  const perRequestMs = optionalMs(written?.perRequest);
  const idleMs = optionalMs(written?.idle);
  return perRequestMs === undefined && idleMs === undefined ? undefined : { perRequestMs, idleMs };
}

export function certificate(written: yaml.Certificate): TlsCertificate {
  const { file, sds } = written;
  if (file !== undefined) {
    return { kind: 'file', certificateChain: file.certificateChain, privateKey: file.privateKey };
  }
  assert(sds !== undefined, 'the schema lets exactly one kind of certificate pass');
  return { kind: 'sds', secretName: sds.secretName };
}

export function validation(written: yaml.Validation): TlsValidation {
  const { trust, subjectAlternativeNames } = written;
  return {
    trust: trustedAuthorities(trust),
    subjectAlternativeNames: subjectAlternativeNames?.match.exact.toSorted() ?? [],
  };
}

function trustedAuthorities({ file, sds }: yaml.Validation['trust']): TlsValidation['trust'] {
  if (file !== undefined) {
    return { kind: 'file', certificateChain: file.certificateChain };
  }
  assert(sds !== undefined, 'the schema lets exactly one kind of trust pass');
  return { kind: 'sds', secretName: sds.secretName };
}

export function listenerTls(written: yaml.ListenerTls): ListenerTls {
  return {
    mode: written.mode,
    certificate: certificate(written.certificate),
    validation: written.validation && validation(written.validation),
  };
}

/** Undefined where the policy says nothing. */
export function clientPolicy(written: yaml.ClientPolicy | undefined): ClientPolicy | undefined {
  const tls = written?.tls;
  if (tls === undefined) {
    return undefined;
  }
  return {
    tls: {
      enforce: tls.enforce ?? true,
      ports: tls.ports?.toSorted((left, right) => left - right) ?? [],
      certificate: tls.certificate && certificate(tls.certificate),
      validation: validation(tls.validation),
    },
  };
}

export function accessLog(written: yaml.Logging | undefined): AccessLog | undefined {
  const file = written?.accessLog?.file;
  return file === undefined ? undefined : { path: file.path, format: accessLogFormat(file.format) };
}

type WrittenFormat = NonNullable<NonNullable<yaml.Logging['accessLog']>['file']>['format'];

function accessLogFormat(written: WrittenFormat): AccessLog['format'] {
  if (written?.json !== undefined) {
    return { kind: 'json', entries: written.json };
  }
  return written?.text === undefined ? undefined : { kind: 'text', text: written.text };
}
