import { execFileSync } from 'node:child_process';

/** The living runner processes of a server. */
export function runnersOf(pid: number): number[] {
  return processes()
    .filter(({ parent, command }) => parent === pid && command.includes('child-main'))
    .map((one) => one.pid);
}

/** Runner processes that were started by a server, whoever their parent is now. */
export function startedBy(pid: number): number[] {
  return processes()
    .filter(({ command }) => command.includes('child-main') && command.trim().endsWith(` ${pid}`))
    .map((one) => one.pid);
}

function processes(): { pid: number; parent: number; command: string }[] {
  const text = execFileSync('ps', ['-A', '-ww', '-o', 'pid=,ppid=,stat=,args='], { encoding: 'utf8' });
  return text
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , stat]) => !stat?.startsWith('Z'))
    .map(([pid, parent, , ...command]) => ({
      pid: Number(pid),
      parent: Number(parent),
      command: command.join(' '),
    }));
}
