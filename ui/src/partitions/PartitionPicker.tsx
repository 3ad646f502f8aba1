/** The partitions of an asset to look at and to choose from: a bar, or a grid where they have several dimensions. */
import { PartitionBar } from "./PartitionBar";
import { PartitionGrid } from "./PartitionGrid";
import type { Box } from "./partitionGrid.model";
import type { AssetPartitions } from "../assets/useAssetPartitions";

interface PartitionPickerProps {
  label: string;
  partitions: AssetPartitions;
  chosen: Box | undefined;
  onChoose: (box: Box | undefined) => void;
}

export function PartitionPicker({ label, partitions, chosen, onChoose }: PartitionPickerProps) {
  const { total, ranges, dimensions, keyOf } = partitions;
  return dimensions.length > 1 ? (
    <PartitionGrid label={label} dimensions={dimensions} ranges={ranges} chosen={chosen} onChoose={onChoose} />
  ) : (
    <PartitionBar
      label={label}
      total={total}
      ranges={ranges}
      keyOf={keyOf}
      chosen={chosen?.[0]}
      onChoose={(stretch) => onChoose(stretch && [stretch])}
    />
  );
}
