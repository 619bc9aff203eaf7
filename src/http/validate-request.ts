import type { FastifySchemaCompiler } from 'fastify';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import type { TLocalizedValidationError } from 'typebox/error';
import { Value } from 'typebox/value';
import { ModelError, type ModelErrorCode, type Refusal } from '../policy/model-error.ts';
import { SECRET_FIELD } from './problem.ts';
import { isTextBody } from './routes/text-body.ts';

/**
 * Checks a part of a request against its schema. What does not fit becomes a ModelError, so that a
 * refusal by schema and one by an edit look the same. Texts of the path and the query are brought
 * to the type that the schema asks for; bodies are taken as they are.
 */
export const compileRequestValidator: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const validator = Compile(schema);
  // Where nothing is required, no body means the same as an empty one.
  const isText = httpPart === 'body' && isTextBody(schema);
  const bodyIsOptional = httpPart === 'body' && validator.Check({});
  return (value: unknown) => {
    // Text bodies arrive as octets and are read by the edits; other routes were never asked for them.
    if (isText && value instanceof Uint8Array) return { value };
    const given = bodyIsOptional ? (value ?? {}) : value;
    const converted = httpPart === 'body' ? given : Value.Convert(schema, given);
    if (validator.Check(converted)) return { value: converted };
    const refusals = refusalsOf(validator.Errors(converted), converted, httpPart ?? 'body');
    const [first, ...others] = refusals;
    return { error: new ModelError(first!.code, first!, others) };
  };
};

type SchemaError = TLocalizedValidationError;

function refusalsOf(errors: readonly SchemaError[], value: unknown, part: string): Refusal[] {
  const told = errors
    .filter(({ keyword }) => keyword === 'anyOf')
    .sort((a, b) => b.schemaPath.length - a.schemaPath.length)
    .reduce(settleUnion, errors)
    // What `additionalProperties: false` says of each field, it says of all of them once more.
    .filter(({ keyword }) => keyword !== 'boolean');
  const refusals = told.flatMap((error) => refusalsOfError(error, value, part));
  if (refusals.length > 0) return refusals;
  return [
    { code: 'invalid-value', field: part, value, rule: 'The value does not fit the schema.' },
  ];
}

/**
 * Leaves of a union only what is of use: the errors inside the branch whose type was met, or that
 * the type of none was.
 */
function settleUnion(errors: readonly SchemaError[], union: SchemaError): readonly SchemaError[] {
  const branches = `${union.schemaPath}/anyOf/`;
  const isInside = (error: SchemaError): boolean =>
    error.schemaPath.startsWith(branches) && error.instancePath.startsWith(union.instancePath);
  const isMismatch = (error: SchemaError): boolean =>
    error.keyword === 'type' && error.instancePath === union.instancePath && isInside(error);
  const types = errors.flatMap((error) =>
    error.keyword === 'type' && isMismatch(error) ? error.params.type : [],
  );
  const others = errors.filter((error) => error !== union && !isMismatch(error));
  if (others.some(isInside)) return others;
  const { schemaPath, instancePath, message } = union;
  return [
    ...others,
    { keyword: 'type', schemaPath, instancePath, message, params: { type: types } },
  ];
}

function refusalsOfError(error: SchemaError, value: unknown, part: string): Refusal[] {
  const path = pathOf(error.instancePath);
  const inside = (key: string): string => (path === '' ? key : `${path}.${key}`);
  const at = valueAt(value, error.instancePath);
  if (error.keyword === 'required') {
    return error.params.requiredProperties.map((key) =>
      refusal('field-missing', inside(key), null, 'The field is required.'),
    );
  }
  if (error.keyword === 'additionalProperties') {
    return error.params.additionalProperties.map((key) => {
      const given = valueAt(value, `${error.instancePath}/${key}`);
      return refusal('field-unknown', inside(key), given, 'The field does not exist here.');
    });
  }
  const code = error.keyword === 'type' ? 'field-type' : 'invalid-value';
  return [refusal(code, path === '' ? part : path, at, ruleOf(error))];
}

function refusal(code: ModelErrorCode, field: string, value: unknown, rule: string): Refusal {
  return { code, field, value: SECRET_FIELD.test(field) ? null : (value ?? null), rule };
}

function ruleOf(error: SchemaError): string {
  switch (error.keyword) {
    case 'type':
      return `The value is of type ${[error.params.type].flat().join(' or ')}.`;
    case 'enum':
      return `The value is one of ${error.params.allowedValues.join(', ')}.`;
    case 'minimum':
      return `The number is at least ${error.params.limit}.`;
    case 'maximum':
      return `The number is at most ${error.params.limit}.`;
    case 'minLength':
      return `The text has at least ${error.params.limit} characters.`;
    case 'maxLength':
      return `The text has at most ${error.params.limit} characters.`;
    case 'minItems':
      return `The list has at least ${error.params.limit} items.`;
    case 'maxItems':
      return `The list has at most ${error.params.limit} items.`;
    default:
      return `The value ${error.message}.`;
  }
}

/** `/attachments/2/action` as `attachments[2].action`. */
function pathOf(instancePath: string): string {
  return keysOf(instancePath)
    .map((key, index) => (/^\d+$/.test(key) ? `[${key}]` : index === 0 ? key : `.${key}`))
    .join('');
}

function valueAt(value: unknown, instancePath: string): unknown {
  let at = value;
  for (const key of keysOf(instancePath)) {
    if (typeof at !== 'object' || at === null) return undefined;
    at = (at as Record<string, unknown>)[key];
  }
  return at;
}

/** The steps of a JSON pointer (RFC 6901 section 4). */
function keysOf(instancePath: string): string[] {
  const [, ...keys] = instancePath.split('/');
  return keys.map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
}
