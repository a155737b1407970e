"""The LangGraph pipeline that leads an incident to a landed patch."""
