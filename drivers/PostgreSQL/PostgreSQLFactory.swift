import HubDriver
