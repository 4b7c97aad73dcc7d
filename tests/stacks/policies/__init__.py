"""What must hold of every service and every file: functions from a rendered stack to sentences about what breaks it.

`EVERYWHERE` holds of all files, `IN_A_CLUSTER` of those that run on many machines, `OF_THE_WHOLE` of these two taken
together. test_policies.py applies them, and test_planted.py shows of each that it can fail.
"""

from collections.abc import Callable, Iterator
from typing import Final

from tests.stacks.policies import containers, networks, placement, secrets, updates
from tests.stacks.rendering import Stack

Policy = Callable[[Stack], Iterator[str]]

EVERYWHERE: Final[tuple[Policy, ...]] = (
    containers.images_are_pinned,
    containers.users_are_numbers_and_not_root,
    containers.roots_are_read_only,
    containers.no_capabilities,
    containers.logs_are_bounded,
    containers.resources_are_limited,
    containers.health_is_the_processs_own,
    containers.stopping_takes_its_time,
    containers.descriptors_are_allowed,
    containers.no_key_is_ignored,
    containers.nothing_of_the_host_is_mounted,
    secrets.secrets_are_files,
    secrets.secrets_have_owners_and_uses,
    networks.only_the_edge_publishes_ports,
    networks.networks_are_chosen,
    networks.networks_hold_only_who_needs_them,
    networks.networks_are_closed,
    networks.one_way_leads_to_a_server,
    networks.names_are_addresses_of_tasks,
)
IN_A_CLUSTER: Final[tuple[Policy, ...]] = (
    networks.networks_are_encrypted,
    secrets.secrets_are_dockers_and_versioned,
    secrets.secrets_are_their_readers_alone,
    updates.updates_are_rolled_back,
    updates.configs_are_named_by_their_content,
    placement.services_are_placed,
    placement.data_has_one_home,
    placement.databases_share_no_node,
)
OF_THE_WHOLE: Final[tuple[Policy, ...]] = (
    networks.one_way_leads_to_a_server,
    networks.networks_that_are_found_are_made,
    placement.databases_share_no_node,
)
