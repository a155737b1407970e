"""The agents that come with GridBot, one small file each."""
