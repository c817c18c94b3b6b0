/** The settings of who may open xDS streams, from their flags to `AdmissionSettings`. */
import type { AdmissionSettings } from '../admission/admission.js';
import { ruleForm } from '../admission/rules.js';
import { isLoopback, renderHostPort } from '../base/socket-address.js';
import type { Report, Values } from './sources.js';
import { flagOf, type SettingName } from './table.js';

/** Undefined: nobody is asked who it is. */
export function admissionOf(values: Values): AdmissionSettings | undefined {
  const { xdsCert, xdsKey, xdsClientCa, xdsCrl, xdsClients, xdsTokenKey, xdsTokensRevoked } =
    values;
  return xdsClientCa === undefined && xdsTokenKey === undefined
    ? undefined
    : {
        certificate: xdsCert,
        key: xdsKey,
        clientCa: xdsClientCa,
        crl: xdsCrl,
        rules: xdsClients ?? [],
        tokenKey: xdsTokenKey,
        tokensRevoked: xdsTokensRevoked,
      };
}

/** Half of an admission is none, and whoever asked for half of it must not believe in the whole. */
export function checkAdmission(
  values: Values,
  placeOf: (name: SettingName) => string,
  report: Report,
): void {
  const needs = (name: SettingName, needed: SettingName, why: string): void => {
    if (values[name] !== undefined && values[needed] === undefined) {
      report(placeOf(name), `${name} needs ${needed}, ${why}; give ${flagOf(needed)}`);
    }
  };
  needs('xdsCert', 'xdsKey', 'the key of that certificate');
  needs('xdsKey', 'xdsCert', 'the certificate of that key');
  needs('xdsClientCa', 'xdsCert', 'since Envoys show certificates over TLS only');
  needs('xdsClientCa', 'xdsClients', `which say who is who, as ${ruleForm}`);
  needs('xdsClients', 'xdsClientCa', 'the authorities whose certificates the rules are about');
  needs('xdsCrl', 'xdsClientCa', 'the authorities whose certificates are revoked');
  needs('xdsTokensRevoked', 'xdsTokenKey', 'the key of those tokens');
  const { xds, xdsCert, xdsTokenKey, xdsClientCa } = values;
  if (xdsCert !== undefined && xdsClientCa === undefined && xdsTokenKey === undefined) {
    report(
      placeOf('xdsCert'),
      'xdsCert says who the controller is, and nothing says who its Envoys are; ' +
        'give --xds-client-ca with --xds-clients, or --xds-token-key',
    );
  }
  const isReached = xds !== undefined && !isLoopback(xds.address);
  if (
    isReached &&
    xdsTokenKey !== undefined &&
    xdsCert === undefined &&
    values.insecure === false
  ) {
    report(
      placeOf('xdsTokenKey'),
      `tokens would pass in plain text to ${renderHostPort(xds)}; give --xds-cert and --xds-key, ` +
        'or say --insecure where the network is trusted',
    );
  }
}
