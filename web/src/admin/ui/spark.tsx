// A line without axes; the figure beside it has the words.
import { spark } from "../lib/geometry";

export function Spark({ values, label, width = 76, height = 22, className = "text-one", leastRange = 0 }: { values: (number | null | undefined)[]; label: string; width?: number; height?: number; className?: string; leastRange?: number }) {
  const { d, last } = spark(values, width, height, 2, leastRange);
  if (d === "") return <span aria-hidden="true" className="inline-block" style={{ width, height }} />;
  return (
    <svg role="img" aria-label={label} width={width} height={height} viewBox={`0 0 ${width} ${height}`} className={`inline-block shrink-0 ${className}`}>
      <path d={d} fill="none" stroke="currentColor" strokeWidth="1.4" strokeLinejoin="round" strokeLinecap="round" />
      {last && <circle cx={last[0]} cy={last[1]} r="1.9" fill="currentColor" />}
    </svg>
  );
}
