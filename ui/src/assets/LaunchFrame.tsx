/** The frame of a launch of assets: which they are, the run config for those who want it, and the button. */
import { lazy, type ReactNode, Suspense, useState } from "react";

import { Button } from "../kit/Button";
import { Dialog } from "../kit/Dialog";
import { Chip } from "../kit/Facts";
import { Skeleton } from "../kit/Skeleton";
import type { AssetRow } from "./assetRows.model";
import { keyText } from "./catalogue.model";
import css from "./MaterializeDialog.module.css";
import { locationOf } from "./materialize.model";

/** The editor is large: it comes when it is wanted. */
const AssetConfig = lazy(() => import("../launchpad/AssetConfig"));

/** The job that all assets of a location belong to. */
const ASSET_JOB = "__ASSET_JOB";
const NAMED = 12;

interface LaunchFrameProps {
  assets: readonly AssetRow[];
  /** What the button says. */
  deed: string;
  isReady: boolean;
  isBusy: boolean;
  /** The run config is in sight from the beginning. */
  withConfig: boolean;
  onClose: () => void;
  /** Gets the run config if one was written. */
  onLaunch: (runConfig?: string) => void;
  children?: ReactNode;
}

export function LaunchFrame({ assets, deed, isReady, isBusy, withConfig, onClose, onLaunch, children }: LaunchFrameProps) {
  const [hasConfig, setHasConfig] = useState(withConfig);
  const [config, setConfig] = useState<string>();
  const [isWrong, setWrong] = useState(false);
  const location = locationOf(assets);
  const canLaunch = isReady && !isBusy && !isWrong;
  const launch = () => {
    if (canLaunch) onLaunch(config);
  };
  return (
    <Dialog
      title={assets.length === 1 ? `Materialize ${keyText(assets[0]!.assetKey.path)}` : `Materialize ${assets.length} assets`}
      size="medium"
      isOpen
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>Cancel</Button>
          <Button variant="primary" icon="play" isDisabled={!canLaunch} onPress={launch}>
            {deed}
          </Button>
        </>
      }
    >
      <div className={css.body}>
        {assets.length > 1 ? (
          <p className={css.assets}>
            {assets.slice(0, NAMED).map((asset) => (
              <Chip key={keyText(asset.assetKey.path)}>{keyText(asset.assetKey.path)}</Chip>
            ))}
            {assets.length > NAMED ? <span>and {assets.length - NAMED} more</span> : null}
          </p>
        ) : null}
        {children}
        {location === undefined ? null : (
          <details open={hasConfig} onToggle={(event) => setHasConfig(event.currentTarget.open)}>
            <summary>Run config</summary>
            {hasConfig ? (
              <Suspense fallback={<Skeleton rows={4} />}>
                <AssetConfig
                  selector={{
                    repositoryLocationName: location,
                    pipelineName: ASSET_JOB,
                    assetSelection: assets.map((asset) => ({ path: [...asset.assetKey.path] })),
                  }}
                  text={config}
                  onChange={setConfig}
                  onVerdict={setWrong}
                  onSubmit={launch}
                />
              </Suspense>
            ) : null}
          </details>
        )}
      </div>
    </Dialog>
  );
}
