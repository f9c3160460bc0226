// Prints, as JSON, the release pull requests that release-please would open for a local clone, and the files that each
// would change. Run in the folder that has node_modules:
//
//     node candidates.cjs /path/to/clone
//
// Everything of release-please is real, its reading of git included. What GitHub alone knows is answered from git: there
// are no GitHub releases and no pull requests yet, and tags are the clone's own.
'use strict';

const {execFileSync} = require('node:child_process');
const {createRequire} = require('node:module');
const {join} = require('node:path');

const installed = createRequire(join(process.cwd(), 'package.json'));
const {Manifest, setLogger} = installed('release-please');
const {LocalGitHub} = installed('release-please/build/src/local-github');

const BRANCH = 'main';
const clone = process.argv[2];

const quiet = () => {};
const complain = (...words) => console.error(...words);
setLogger({error: complain, warn: quiet, info: quiet, debug: quiet, trace: quiet});

const gitHub = {
  async *releaseIterator() {},
  async *pullRequestIterator() {},
  async *tagIterator() {
    const format = '--format=%(refname:short) %(objectname)';
    for (const line of execFileSync('git', ['tag', format], {cwd: clone, encoding: 'utf8'}).split('\n')) {
      const [name, sha] = line.split(' ');
      if (name) yield {name, sha};
    }
  },
};

async function candidates() {
  const scm = new LocalGitHub({owner: 'bank', repo: 'pipeline', defaultBranch: BRANCH}, gitHub, clone);
  const manifest = await Manifest.fromManifest(scm, BRANCH);
  const found = [];
  for (const {title, headRefName, body, updates, version} of await manifest.buildPullRequests()) {
    const changes = await scm.buildChangeSet(updates, BRANCH);
    const differing = [...changes].filter(([, {content, originalContent}]) => content !== originalContent);
    const files = Object.fromEntries(differing.map(([path, {content}]) => [path, content]));
    found.push({title: title.toString(), branch: headRefName, body: body.toString(), version: version.toString(), files});
  }
  return found;
}

candidates().then(
  found => console.log(JSON.stringify(found)),
  error => {
    console.error(error);
    process.exitCode = 1;
  }
);
