/**
 * TLS between proxies. A listener in mode STRICT or PERMISSIVE serves its certificate, and with a
 * validation demands one of its callers. Callers speak TLS to such a listener without being told, and
 * check its certificate where their client policy says how (App Mesh: file and SDS certificates are not
 * validated by default). Files are read by the proxy; secrets by name come from us over SDS.
 */
import { isIpAddress } from '../base/socket-address.js';
import type {
  envoy_extensions_transport_sockets_tls_v3_CommonTlsContext as CommonTlsContext,
  envoy_extensions_transport_sockets_tls_v3_SubjectAltNameMatcher_SanType as SanType,
  envoy_config_core_v3_TransportSocket as TransportSocket,
  envoy_extensions_transport_sockets_tls_v3_CertificateValidationContext as ValidationContext,
} from '../generated/envoy-types.js';
import { tlsRulesAt } from '../mesh/client-policy.js';
import type {
  ClientPolicy,
  Listener,
  Protocol,
  TlsCertificate,
  TlsValidation,
} from '../mesh/model.js';
import { packed } from './encode.js';
import type { Target } from './reach.js';
import type { ResourceReference, SecretUse } from './snapshot.js';
import { secretSource, wrapped } from './values.js';

/** A transport socket, and the secrets that it names. */
export interface TlsSocket {
  readonly socket: TransportSocket;
  readonly secrets: readonly ResourceReference[];
}

/** How `listener` speaks TLS; undefined where it does not. */
export function downstreamTls({ tls, protocol }: Listener): TlsSocket | undefined {
  if (tls === undefined || tls.mode === 'DISABLED') {
    return undefined;
  }
  const context = packed('envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext', {
    common_tls_context: {
      ...certificateOf(tls.certificate),
      ...(tls.validation && validationOf(tls.validation, tls.validation.subjectAlternativeNames)),
      alpn_protocols: protocol === 'tcp' ? undefined : ['h2', 'http/1.1'],
    },
    require_client_certificate: tls.validation && wrapped(true),
  });
  return tlsSocket(context, tls.certificate, tls.validation?.trust);
}

/** How a caller with `policy` speaks TLS to `target`; undefined where it sends plain text. */
export function upstreamTls(
  target: Target,
  policy: ClientPolicy | undefined,
): TlsSocket | undefined {
  const { listener, node } = target;
  const rules = tlsRulesAt(policy, listener.port);
  const isOffered = listener.tls !== undefined && listener.tls.mode !== 'DISABLED';
  if (!isOffered && rules?.enforce !== true) {
    return undefined;
  }
  const discovery = node.serviceDiscovery;
  // Certificates and SNI are without the final dot that a name in DNS may have (RFC 6066, 3).
  const hostname = discovery?.kind === 'dns' ? discovery.hostname.replace(/\.$/, '') : undefined;
  const named = rules?.validation.subjectAlternativeNames ?? [];
  const names = named.length === 0 && hostname !== undefined ? [hostname] : named;
  const context = packed('envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext', {
    common_tls_context: {
      ...(rules?.certificate && certificateOf(rules.certificate)),
      ...(rules && validationOf(rules.validation, names)),
      alpn_protocols: alpnOf(listener.protocol),
    },
    sni: hostname !== undefined && !isIpAddress(hostname) ? hostname : undefined,
  });
  return tlsSocket(context, rules?.certificate, rules?.validation.trust);
}

function tlsSocket(
  context: TransportSocket['typed_config'],
  certificate: TlsCertificate | undefined,
  trust: TlsValidation['trust'] | undefined,
): TlsSocket {
  return {
    socket: { name: 'envoy.transport_sockets.tls', typed_config: context },
    secrets: [...referencesTo(certificate, 'certificate'), ...referencesTo(trust, 'trust')],
  };
}

function referencesTo(
  material: TlsCertificate | TlsValidation['trust'] | undefined,
  use: SecretUse,
): readonly ResourceReference[] {
  return material?.kind === 'sds' ? [{ type: 'secret', name: material.secretName, use }] : [];
}

function certificateOf(certificate: TlsCertificate): CommonTlsContext {
  if (certificate.kind === 'sds') {
    return {
      tls_certificate_sds_secret_configs: [
        { name: certificate.secretName, sds_config: secretSource },
      ],
    };
  }
  const { certificateChain, privateKey } = certificate;
  return {
    tls_certificates: [
      { certificate_chain: { filename: certificateChain }, private_key: { filename: privateKey } },
    ],
  };
}

/** Any one of `names` will do; an empty list checks none. */
function validationOf({ trust }: TlsValidation, names: readonly string[]): CommonTlsContext {
  const checks = nameChecks(names);
  if (trust.kind === 'file') {
    const trusted = { trusted_ca: { filename: trust.certificateChain } };
    return { validation_context: { ...trusted, ...checks } };
  }
  return {
    combined_validation_context: {
      default_validation_context: checks,
      validation_context_sds_secret_config: { name: trust.secretName, sds_config: secretSource },
    },
  };
}

/** App Mesh compares a name with those of every type, Envoy with those of one: so each stands as all. */
function nameChecks(names: readonly string[]): ValidationContext {
  if (names.length === 0) {
    return {};
  }
  return {
    match_typed_subject_alt_names: names.flatMap((exact) =>
      sanTypesOf(exact).map((san_type) => ({ san_type, matcher: { exact } })),
    ),
  };
}

function sanTypesOf(name: string): readonly SanType[] {
  return isIpAddress(name) ? ['IP_ADDRESS'] : ['DNS', 'URI'];
}

function alpnOf(protocol: Protocol): readonly string[] | undefined {
  switch (protocol) {
    case 'http':
      return ['http/1.1'];
    case 'http2':
    case 'grpc':
      return ['h2'];
    case 'tcp':
      return undefined;
  }
}
