import type { CliCommand } from "../command.ts";
import { TypedWrongly } from "../function.ts";
import { COMMON } from "../run.ts";
import { words } from "../typed.ts";

const SHELLS: Readonly<Record<string, (commands: readonly CliCommand[]) => string>> = { bash, zsh, fish };

/** Completes commands and their options, which are written into the script: nothing is asked while somebody types. */
export function createCompletion(commands: readonly CliCommand[]): CliCommand {
  const completion: CliCommand = {
    name: "completion",
    usage: "bash|zsh|fish",
    summary: "Prints the script by which a shell completes commands and options.",
    help: `  keyturn completion bash >> ~/.bashrc
  keyturn completion zsh >> ~/.zshrc
  keyturn completion fish > ~/.config/fish/completions/keyturn.fish`,
    options: {},
    run(typed, terminal) {
      const [shell] = words(typed, ["<shell>"]);
      const script = SHELLS[shell];
      if (script === undefined) throw new TypedWrongly(`There is no completion for ${shell}: say bash, zsh or fish.`);
      terminal.out(script([...commands, completion]));
      return Promise.resolve(0);
    },
  };
  return completion;
}

const optionsOf = ({ options }: CliCommand): readonly string[] => Object.keys({ ...options, ...COMMON });

function bash(commands: readonly CliCommand[]): string {
  const cases = commands.map((each) => `    ${each.name}) all="--${optionsOf(each).join(" --")}" ;;`);
  return `_keyturn() {
  local all="${commands.map(({ name }) => name).join(" ")}"
  [ "$COMP_CWORD" -gt 1 ] && case "\${COMP_WORDS[1]}" in
${cases.join("\n")}
    *) all="" ;;
  esac
  COMPREPLY=($(compgen -W "$all" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _keyturn keyturn
`;
}

/** zsh runs bash's completions by a function of its own. */
function zsh(commands: readonly CliCommand[]): string {
  return `autoload -U +X bashcompinit && bashcompinit\n${bash(commands)}`;
}

function fish(commands: readonly CliCommand[]): string {
  const quoted = (text: string): string => `'${text.replaceAll(/[\\']/g, (sign) => `\\${sign}`)}'`;
  const lines = commands.flatMap((command) => [
    `complete -c keyturn -n __fish_use_subcommand -f -a ${command.name} -d ${quoted(command.summary)}`,
    ...optionsOf(command).map(
      (name) => `complete -c keyturn -n '__fish_seen_subcommand_from ${command.name}' -l ${name}`,
    ),
  ]);
  return `${lines.join("\n")}\n`;
}
