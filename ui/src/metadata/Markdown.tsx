/** Shows the safe subset of Markdown that the model reads. */
import type { ReactNode } from "react";

import { Link } from "../kit/Link";
import css from "./Markdown.module.css";
import { type Block, type Inline, parseMarkdown } from "./markdown.model";

interface MarkdownProps {
  source: string;
}

export function Markdown({ source }: MarkdownProps) {
  return <div className={css.markdown}>{parseMarkdown(source).map(showBlock)}</div>;
}

function showBlock(block: Block, key: number): ReactNode {
  switch (block.kind) {
    case "heading": {
      const Heading = `h${Math.min(6, block.level + 2)}` as "h3" | "h4" | "h5" | "h6";
      return <Heading key={key}>{block.children.map(showInline)}</Heading>;
    }
    case "paragraph":
      return <p key={key}>{block.children.map(showInline)}</p>;
    case "code":
      return (
        <pre key={key} tabIndex={0}>
          <code>{block.text}</code>
        </pre>
      );
    case "quote":
      return <blockquote key={key}>{block.children.map(showBlock)}</blockquote>;
    case "rule":
      return <hr key={key} />;
    case "list": {
      const items = block.items.map((item, index) => <li key={index}>{showItem(item)}</li>);
      return block.ordered ? (
        <ol key={key} start={block.start}>
          {items}
        </ol>
      ) : (
        <ul key={key}>{items}</ul>
      );
    }
    case "table":
      return (
        <table key={key}>
          <thead>
            <tr>
              {block.head.map((cell, column) => (
                <th key={column} data-align={block.align[column]}>
                  {cell.map(showInline)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {block.rows.map((row, index) => (
              <tr key={index}>
                {row.map((cell, column) => (
                  <td key={column} data-align={block.align[column]}>
                    {cell.map(showInline)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      );
  }
}

/** A list item of one line needs no paragraph around it. */
function showItem(blocks: readonly Block[]): ReactNode {
  const [first, ...rest] = blocks;
  if (first?.kind !== "paragraph") return blocks.map(showBlock);
  return (
    <>
      {first.children.map(showInline)}
      {rest.map(showBlock)}
    </>
  );
}

function showInline(node: Inline, key: number): ReactNode {
  switch (node.kind) {
    case "text":
      return node.text;
    case "code":
      return <code key={key}>{node.text}</code>;
    case "strong":
      return <strong key={key}>{node.children.map(showInline)}</strong>;
    case "emphasis":
      return <em key={key}>{node.children.map(showInline)}</em>;
    case "strike":
      return <s key={key}>{node.children.map(showInline)}</s>;
    case "break":
      return <br key={key} />;
    case "image":
      return <img key={key} src={node.src} alt={node.alt} />;
    case "link":
      return node.href.startsWith("/") ? (
        <Link key={key} to={node.href}>
          {node.children.map(showInline)}
        </Link>
      ) : (
        <a key={key} href={node.href} target="_blank" rel="noopener noreferrer">
          {node.children.map(showInline)}
        </a>
      );
  }
}
