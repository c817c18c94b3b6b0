/** What the soak calls growth. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { lowest, slopePerHour } from './slope.js';

const test = suite('soak: slope');
const minuteMs = 60_000;

test('a line has its own slope, whatever a collector leaves on top of it', () => {
  const samples = Array.from({ length: 600 }, (_, index) => ({
    atMs: index * 1_000,
    // A megabyte a minute, and a saw of 40 that a collection takes away every ten seconds.
    value: index / 60 + (index % 10) * 4,
  }));
  assert.ok(Math.abs(slopePerHour(lowest(samples, minuteMs)) - 60) < 0.5);
});

test('a saw alone does not grow', () => {
  const samples = Array.from({ length: 600 }, (_, index) => ({
    atMs: index * 1_000,
    value: 100 + (index % 7),
  }));
  assert.is(slopePerHour(lowest(samples, minuteMs)), 0);
});

test('of one sample nothing follows', () => {
  assert.is(slopePerHour([{ atMs: 5, value: 7 }]), 0);
  assert.is(slopePerHour([]), 0);
});

test.run();
