import type { BundleFilter, Target } from './model.ts';

/** Whether a bundle with this filter holds the target. The built-in canary belongs to no bundle. */
export function bundleHolds(filter: BundleFilter, target: Target): boolean {
  if (target.origin === 'built-in') return false;
  const { severity, confidence, risk, danger, iocType, threatType, trafficType, tags } =
    target.attributes;
  return (
    severity >= (filter.severityMin ?? 0) &&
    severity <= (filter.severityMax ?? 5) &&
    confidence >= (filter.confidenceMin ?? 0) &&
    risk >= (filter.riskMin ?? 0) &&
    isAnyOf(filter.danger, danger) &&
    isAnyOf(filter.iocType, iocType) &&
    isAnyOf(filter.threatType, threatType) &&
    isAnyOf(filter.trafficType, trafficType) &&
    (filter.tags === undefined || filter.tags.some((tag) => tags.includes(tag))) &&
    (filter.partner === undefined || filter.partner === target.partner)
  );
}

function isAnyOf<Value>(wanted: readonly Value[] | undefined, value: Value): boolean {
  return wanted === undefined || wanted.includes(value);
}
