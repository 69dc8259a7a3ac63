"""Caches of what every text asks for."""


def clear_cache(env):
    """Forget now, and once more after the commit: who asked before it has cached what was."""
    env.registry.clear_cache()
    env.cr.postcommit.add(env.registry.clear_cache)
