/** The schemas are what JSON Schema says that a schema is, which the program itself does not look at again. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { schemas } from '../../controller/generated/schemas.js';

const ajv = new Ajv2020({ validateFormats: false });

for (const [file, schema] of Object.entries(schemas)) {
  test(`${file} fits the schema of schemas`, () => {
    assert.is(ajv.validateSchema(schema), true, ajv.errorsText());
  });
}

test('a schema that does not is told', () => {
  assert.is(ajv.validateSchema({ type: 'text' }), false);
});

test.run();
